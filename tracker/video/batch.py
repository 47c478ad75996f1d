"""Many sources from one name: a folder or a pattern becomes the sorted list of its videos and pictures."""

from __future__ import annotations

import glob
import itertools
import logging
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...errors import SourceError
from .address import IMAGE_SUFFIXES, VIDEO_SUFFIXES, parse_source, redact
from .sequence import find_sequences, is_sequence, nickname

log = logging.getLogger("posetrack")


@dataclass(frozen=True, slots=True)
class Item:
    """One source of a batch.

    Attributes:
        source: what `open_source` takes.
        mirror: relative path without suffix, unique in the batch, for outputs that mirror the folder: `day1/clip`.
    """

    source: str | int | Path
    mirror: Path


def expand(source: str | int | Path, *, fps: float | None = None) -> list[Item]:
    """List the sources that a name stands for.

    A folder is searched through all its sub-folders; hidden files and unfinished outputs (`.partial.mp4`) are left out.
    A pattern (`*`, `?`, `[...]`, `**`) is one only if no file has that very name. Numbered pictures are one source,
    `frame%04d.jpg`, if a rate is given, and otherwise one each, since a folder of photographs is numbered, too.

    Raises:
        SourceError: nothing matches.
    """
    what = parse_source(source)
    if isinstance(what, int):
        return [Item(what, Path(f"camera-{what}"))]
    if isinstance(what, str):
        plain = re.sub(r"[^\w.-]+", "-", re.sub(r"^.*?://(.*@)?|[?#].*$", "", redact(what))).strip("-.")
        return [Item(what, Path(plain or "stream"))]
    if what.is_dir():
        files, root = list(what.rglob("*")), what
    elif not what.exists() and glob.has_magic(str(what)):
        # Path.glob takes no absolute pattern
        files = [Path(name) for name in glob.glob(str(what), recursive=True)]  # noqa: PTH207
        root = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), what.parts))
    elif is_sequence(what):
        return _mirrored([what], what.parent)
    else:
        return [Item(what, Path(what.stem))]
    found = sorted(file for file in files if _is_wanted(file, root))
    if not found:
        kinds = " ".join(sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
        raise SourceError(f"'{what}' holds no video and no picture. Known are: {kinds}.")
    sequences = find_sequences(found)
    if fps is None:
        if sequences:
            log.info("'%s' holds numbered pictures, which are taken one by one; with --fps they are one video.", what)
        return _mirrored(found, root)
    numbered = {file for group in sequences.values() for file in group}
    return _mirrored(sorted(sequences) + [file for file in found if file not in numbered], root)


def is_alone(items: list[Item], source: str | int | Path) -> bool:
    """Tell whether a name stands for one source and not for a batch, however small."""
    first = items[0].source
    if not isinstance(first, Path):
        return True
    return len(items) == 1 and (first == parse_source(source) or is_sequence(first))


def is_still(item: Item) -> bool:
    """Tell whether an item is a single picture."""
    from .contents import is_moving, is_picture

    file = item.source
    return isinstance(file, Path) and file.is_file() and is_picture(file) and not is_moving(file)


def _is_wanted(file: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    known = file.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES
    return known and not hidden and not file.stem.endswith(".partial") and file.is_file()


def _mirrored(files: list[Path], root: Path) -> list[Item]:
    """Name the outputs as the files; those that differ in nothing but the suffix keep it: `clip.mov`."""
    names = [nickname(file, root) for file in files]
    twice = Counter(names)
    names = [name if twice[name] == 1 else file.relative_to(root) for name, file in zip(names, files)]
    shared = Counter(name.with_suffix("") for name in names)
    mirrors = [name if shared[name.with_suffix("")] > 1 else name.with_suffix("") for name in names]
    return [Item(file, mirror) for file, mirror in zip(files, mirrors)]
