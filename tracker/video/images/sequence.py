"""Numbered images as one video: `frame%04d.jpg` is all of them in the order of their numbers."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError
from ..address import IMAGE_SUFFIXES
from ..decode.streams import DEFAULT_FPS
from .album import read_main
from .reader import ImagesReader

log = logging.getLogger("posetrack")

_NUMBER = re.compile(r"(?<!%)((?:%%)*)%0?(\d*)d")  # as in printf; %% is a percent sign


def is_sequence(path: Path) -> bool:
    """Return whether a path is a pattern of numbered images, and not the name of an existing file."""
    return len(_NUMBER.findall(path.name)) == 1 and path.suffix.lower() in IMAGE_SUFFIXES and not path.exists()


def find_sequences(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return groups of two or more images whose names differ only in one number, by their pattern.

    If a name has several numbers, such as `camera1_frame0002.png`, the last one that differs counts.
    """
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    shared = Counter(key for file in images for key in _keys(file))
    found = defaultdict(list)
    for file in images:
        key = next((key for key in _keys(file) if shared[key] > 1), None)
        if key is not None:
            found[key].append(file)
    return {_pattern(key, group): group for key, group in found.items()}


Key = tuple[Path, str, str]  # folder, and the parts of the name before and after the number


def _keys(file: Path) -> list[Key]:
    """Return the parts of a name around each of its numbers, beginning with the last number."""
    runs = list(re.finditer(r"[0-9]+", file.stem))
    return [(file.parent, file.name[: run.start()], file.name[run.end() :]) for run in reversed(runs)]


def _pattern(key: Key, files: list[Path]) -> Path:
    folder, before, after = key
    numbers = [file.name[len(before) : len(file.name) - len(after)] for file in files]
    shortest = min(map(len, numbers))
    padded = any(number.startswith("0") and len(number) > 1 for number in numbers)
    word = f"%0{shortest}d" if padded and shortest > 1 else "%d"
    return folder / (before.replace("%", "%%") + word + after.replace("%", "%%"))


def unnumbered(source: Path, root: Path) -> Path:
    """Return a source's path from `root`, without the number: `walk/frame.png`; `walk.png` for `walk/%d.png`."""
    if not is_sequence(source):
        return source.relative_to(root)
    before, percents, _, after = _NUMBER.split(source.stem)
    folder = source.parent.relative_to(root)
    word = (before + percents + after).strip("-_. ").replace("%%", "%")
    if word:
        return folder / (word + source.suffix)
    return folder.parent / ((folder.name or root.resolve().name or "images") + source.suffix)


def numbered(pattern: Path) -> dict[int, Path]:
    """Return the images of a pattern by number, in order.

    Raises:
        SourceError: there are none, or two have the same number.
    """
    before, percents, digits, after = _NUMBER.split(pattern.name)
    start, stop = (re.escape(part.replace("%%", "%")) for part in (before + percents, after))
    name = re.compile(f"{start}([0-9]{{{int(digits or 1)},}}){stop}")
    found: dict[int, Path] = {}
    for file in sorted(pattern.parent.iterdir()) if pattern.parent.is_dir() else ():
        number = name.fullmatch(file.name)
        if number is None or not file.is_file():
            continue
        twin = found.setdefault(int(number[1]), file)
        if twin is not file:
            raise SourceError(f"'{twin}' and '{file.name}' have the same number. Leave one of them out.")
    if not found:
        raise SourceError(f"No image is named like '{pattern}'. Check the folder and the digits of the number.")
    return dict(sorted(found.items()))


def open_sequence(pattern: Path, *, fps: float | None, start: float | None, end: float | None) -> ImagesReader:
    """Open numbered images as a video that begins with the lowest number; missing numbers are gaps in time.

    Args:
        pattern: a path for which `is_sequence` is true.
        fps: frames per second; if omitted, a rate is assumed with a warning.
        start: seconds; earlier images are omitted.
        end: seconds; images from it on are omitted.

    Raises:
        SourceError: there are no such images, or two have the same number.
    """
    found = numbered(pattern)
    files, rate = list(found.values()), fps or DEFAULT_FPS
    first, last = min(found), max(found)
    missing = last - first + 1 - len(found)
    gaps = f"; {missing} missing numbers are gaps in time" if missing else ""
    said = (pattern, len(found), first, last, rate, gaps)
    log.info("'%s': %d images, numbers %d to %d, are one video at %g fps%s.", *said)
    if fps is None:
        log.warning("'%s' states no frame rate: %g fps is assumed. Give --fps.", pattern, rate)

    several: set[Path] = set()

    def load(k: int) -> NDArray[np.uint8]:
        image, count = read_main(files[k])
        if count > 1 and not several:
            log.warning("'%s' holds %d images: of each file the main one is used.", files[k], count)
            several.add(files[k])
        return image

    numbers = [number - first for number in found]
    times = [number / rate for number in numbers]
    return ImagesReader(
        load,
        times,
        duration=(last - first + 1) / rate,
        numbers=numbers,
        fps=rate,
        guessed=fps is None,
        start=start,
        end=end,
    )
