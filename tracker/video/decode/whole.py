"""Whether a file is one whole video: FFmpeg reads the first of several joined ones, and some cut ones as if whole."""

from __future__ import annotations

import mmap
from pathlib import Path

from .mp4_boxes import count_movies, reaches_beyond

_SIGNATURE = 8  # bytes that begin a file, of which a longer signature has no more in common by chance
_SIGNED = frozenset({"flv", "asf", "ivf"})  # formats that begin with a signature, and are read to their first end
_IMAGE, _EXTENSION, _TRAILER = b",!;"  # that begin a block of a GIF


def is_joined(path: Path, format: str) -> bool:
    """Return whether a file holds several videos, of which FFmpeg reads the first.

    Args:
        path: of the file.
        format: FFmpeg's name of it.
    """
    return count_movies(path) > 1 if "mp4" in format else format in _SIGNED and repeats(path)


def repeats(path: Path) -> bool:
    """Return whether the signature with which a file begins occurs in it again."""
    if path.stat().st_size < 2 * _SIGNATURE:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(data[:_SIGNATURE], 1) > 0


def is_cut(path: Path, format: str, *, end: int) -> bool:
    """Return whether a file has a rest that cannot be read, in a format in which FFmpeg says nothing of it.

    Args:
        path: of the file.
        format: FFmpeg's name of it.
        end: of the last packet in the file, bytes.
    """
    size = path.stat().st_size
    if format == "yuv4mpegpipe":  # frames of one size up to the end
        return end < size
    return not _is_whole_gif(path) if format == "gif" else "mp4" in format and reaches_beyond(path, size)


def _is_whole_gif(path: Path) -> bool:
    """Return whether the blocks of a GIF follow each other up to its trailer. Source: GIF89a, appendix B."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            at = 13 + _palette(data[10])
            while (kind := data[at]) in (_IMAGE, _EXTENSION):
                at += 11 + _palette(data[at + 9]) if kind == _IMAGE else 2
                while size := data[at]:
                    at += 1 + size
                at += 1
        except IndexError:
            return False
        return kind == _TRAILER


def _palette(flags: int) -> int:
    """Return the bytes of a palette by the flags that announce it."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
