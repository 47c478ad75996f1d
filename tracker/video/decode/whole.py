"""Whether a file is one whole video: FFmpeg reads the first of several joined ones, and misses no end of a cut one."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from .boxes import movies

_SIGNATURE = 8  # bytes that begin a file, of which a longer signature has no more in common by chance
_SIGNED = frozenset({"flv", "asf", "ivf"})  # formats that begin with a signature, and are read to their first end
_LAST = {"gif": b";"}  # byte that ends a file of a format
_PADDING = b"\0\r\n \x1a"


def is_joined(path: Path, format: str) -> bool:
    """Return whether a file holds several videos, of which FFmpeg reads the first.

    Args:
        path: of the file.
        format: FFmpeg's name of it.
    """
    return movies(path) > 1 if "mp4" in format else format in _SIGNED and repeats(path)


def repeats(path: Path) -> bool:
    """Return whether the signature with which a file begins occurs in it again."""
    if not path.is_file() or path.stat().st_size < 2 * _SIGNATURE:  # a pipe can be read only once
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(data[:_SIGNATURE], 1) > 0


def is_cut(path: Path, format: str) -> bool:
    """Return whether the end of a file is missing, in a format whose end FFmpeg does not miss."""
    if format not in _LAST or not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1024), os.SEEK_END)
        return not file.read().rstrip(_PADDING).endswith(_LAST[format])
