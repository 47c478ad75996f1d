"""Boxes of MP4 and QuickTime files. Source: ISO/IEC 14496-12, 4.2."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_REST = 1 << 62  # bytes of a box that reaches to the end of the file


def boxes(file: BinaryIO, *, within: int = _REST) -> Iterator[tuple[bytes, int]]:
    """Yield the kind and the size in bytes of each box's contents, to which the file is then positioned.

    Args:
        file: at the first box.
        within: bytes that the boxes fill.
    """
    end = file.tell() + within
    while file.tell() < end and len(header := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", header)
        read = 8
        if size == 1:
            size, read = int.from_bytes(file.read(8), "big"), 16
        elif size == 0:
            size = _REST
        if size < read:  # damaged
            return
        after = file.tell() + size - read
        yield kind, size - read
        if after >= _REST:
            return
        file.seek(after)


def count_movies(path: Path) -> int:
    """Return how many whole movies a file holds, one after the other, of which FFmpeg reads the first."""
    found = 0
    with path.open("rb") as file:
        for kind, _ in boxes(file):
            if kind == b"moof":  # fragments of one movie, whose header may be repeated
                return 1
            found += kind == b"moov"
    return found


def reaches_beyond(path: Path, size: int) -> bool:
    """Return whether the media of a file of this size in bytes states that they reach beyond its end."""
    with path.open("rb") as file:
        return any(kind == b"mdat" and size < file.tell() + length < _REST for kind, length in boxes(file))
