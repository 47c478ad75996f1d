"""Numbered pictures as one video: `frame%04d.jpg` stands for all of them, in the order of their numbers."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError
from ..address import IMAGE_SUFFIXES
from ..decode.streams import DEFAULT_FPS
from .image import read_image
from .reader import PicturesReader

log = logging.getLogger("posetrack")

_NUMBER = re.compile(r"(?<!%)((?:%%)*)%0?(\d*)d")  # as in printf; %% is a percent sign


def is_sequence(path: Path) -> bool:
    """Tell whether a path is a pattern of numbered pictures, and not the very name of a file."""
    return len(_NUMBER.findall(path.name)) == 1 and path.suffix.lower() in IMAGE_SUFFIXES and not path.exists()


def find_sequences(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return the pictures whose names differ in a number alone, two at least, by their pattern.

    Where several numbers of a name count, as in `camera1_frame0002.png`, the last one does.
    """
    pictures = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    shared = Counter(key for file in pictures for key in _keys(file))
    found = defaultdict(list)
    for file in pictures:
        key = next((key for key in _keys(file) if shared[key] > 1), None)
        if key is not None:
            found[key].append(file)
    return {_pattern(key, group): group for key, group in found.items()}


Key = tuple[Path, str, str]  # folder, and what of the name stands before and after the number


def _keys(file: Path) -> list[Key]:
    """Return what is left of a name without one of its numbers, beginning with the last."""
    runs = list(re.finditer(r"[0-9]+", file.stem))
    return [(file.parent, file.name[: run.start()], file.name[run.end() :]) for run in reversed(runs)]


def _pattern(key: Key, files: list[Path]) -> Path:
    folder, before, after = key
    numbers = [file.name[len(before) : len(file.name) - len(after)] for file in files]
    shortest = min(map(len, numbers))
    padded = any(number.startswith("0") and len(number) > 1 for number in numbers)
    word = f"%0{shortest}d" if padded and shortest > 1 else "%d"
    return folder / (before.replace("%", "%%") + word + after.replace("%", "%%"))


def nickname(source: Path, root: Path) -> Path:
    """Return a source's path from `root`; without the number, `walk/frame.png`, or `walk.png` where that is all."""
    if not is_sequence(source):
        return source.relative_to(root)
    before, percents, _, after = _NUMBER.split(source.stem)
    folder = source.parent.relative_to(root)
    word = (before + percents + after).strip("-_. ").replace("%%", "%")
    if word:
        return folder / (word + source.suffix)
    return folder.parent / ((folder.name or root.resolve().name or "pictures") + source.suffix)


def numbered(pattern: Path) -> dict[int, Path]:
    """Return the pictures of a pattern by number, in order.

    Raises:
        SourceError: there are none, or two have one number.
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
        raise SourceError(f"No picture is named as '{pattern}' says. Check the folder and the digits of the number.")
    return dict(sorted(found.items()))


def open_sequence(pattern: Path, *, fps: float | None, start: float | None, end: float | None) -> PicturesReader:
    """Open numbered pictures as a video that begins with the lowest number; missing numbers are gaps in time.

    Args:
        pattern: for which `is_sequence` holds.
        fps: frames a second; None guesses and says so.
        start: seconds; pictures before it are left out.
        end: seconds; pictures from it on are left out.

    Raises:
        SourceError: there are no such pictures, or two have one number.
    """
    found = numbered(pattern)
    files, rate = list(found.values()), fps or DEFAULT_FPS
    first, last = min(found), max(found)
    missing = last - first + 1 - len(found)
    gaps = f", {missing} numbers are missing and stay gaps in time" if missing else ""
    said = (pattern, len(found), first, last, rate, gaps)
    log.info("'%s': %d pictures, numbers %d to %d, are one video at %g fps%s.", *said)
    if fps is None:
        log.warning("'%s' states no frame rate: %g a second are assumed. Give --fps.", pattern, rate)

    def load(k: int) -> NDArray[np.uint8]:
        return read_image(files[k])

    numbers = [number - first for number in found]
    times = [number / rate for number in numbers]
    words: Any = {"duration": (last - first + 1) / rate, "fps": rate, "guessed": fps is None}
    return PicturesReader(load, times, numbers=numbers, start=start, end=end, **words)
