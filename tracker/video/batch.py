"""Many sources from one name: a folder or a pattern becomes the sorted list of its videos and pictures."""

from __future__ import annotations

import glob
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...errors import SourceError
from .address import IMAGE_SUFFIXES, VIDEO_SUFFIXES, parse_source, redact


@dataclass(frozen=True, slots=True)
class Item:
    """One source of a batch.

    Attributes:
        source: what `open_source` takes.
        mirror: relative path without suffix, unique in the batch, for outputs that mirror the folder: `day1/clip`.
    """

    source: str | int | Path
    mirror: Path


def expand(source: str | int | Path) -> list[Item]:
    """List the sources that a name stands for.

    A folder is searched through all its sub-folders; hidden files and unfinished outputs (`.partial.mp4`) are left out.
    A pattern (`*`, `?`, `[...]`, `**`) is one only if no file has that very name.

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
    else:
        return [Item(what, Path(what.stem))]
    found = sorted(file for file in files if _is_wanted(file, root))
    if not found:
        kinds = " ".join(sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
        raise SourceError(f"'{what}' holds no video and no picture. Known are: {kinds}.")
    return _mirrored(found, root)


def _is_wanted(file: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    known = file.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES
    return known and not hidden and not file.stem.endswith(".partial") and file.is_file()


def _mirrored(files: list[Path], root: Path) -> list[Item]:
    """Name the outputs as the files; those that differ in nothing but the suffix keep it: `clip.mov`."""
    names = [file.relative_to(root) for file in files]
    shared = Counter(name.with_suffix("") for name in names)
    mirrors = [name if shared[name.with_suffix("")] > 1 else name.with_suffix("") for name in names]
    return [Item(file, mirror) for file, mirror in zip(files, mirrors)]
