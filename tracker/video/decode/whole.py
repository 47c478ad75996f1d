"""Whether a file is one whole video: FFmpeg reads the first of several joined ones, and some cut ones as if whole."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Any

from .mp4_boxes import count_movies, reaches_beyond

_SIGNATURE = 8  # bytes that begin a file, of which a longer signature has no more in common by chance
_SIGNED = frozenset({"flv", "asf", "ivf"})  # formats that begin with a signature, and are read to their first end
_SIZED = frozenset({"avi", "matroska,webm"})  # formats that begin with their size
_UNKNOWN_RIFF = 0x7FFFFFFF  # bytes, as programs write that cannot know
_SEGMENT = b"\x18\x53\x80\x67"  # of Matroska; its size follows. Source: RFC 8794, 4 and 6
_HOLE = re.compile(rb"(?<!\0)\0{4,}+[^\0\1]")
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
    if format == "gif":
        return not _is_whole_gif(path)
    if format in _SIZED:
        return size < _stated_size(path, format)
    return "mp4" in format and reaches_beyond(path, size)


def unread(stream: Any, packets: int) -> int:
    """Return how many frames the index of a file lists beyond those that were found; 0 if it has none.

    Args:
        stream: read from beginning to end.
        packets: of the stream.
    """
    return max(0, sum(entry.size > 0 for entry in getattr(stream, "index_entries", ())) - packets)


def has_hole(packet: bytes) -> bool:
    """Return whether zeros replace a part of a frame of a raw H.264 or HEVC stream.

    Three zero bytes are only before the code that begins the next unit. Source: H.264, annex B and 7.4.1.
    """
    return bytes(4) in packet and _HOLE.search(packet) is not None


def _stated_size(path: Path, format: str) -> int:
    """Return the bytes that a file has by its header; 0 if it does not say."""
    with path.open("rb") as file:
        header = file.read(4096)
    if format == "avi":
        size = int.from_bytes(header[4:8], "little")
        return size + 8 if size < _UNKNOWN_RIFF else 0
    at = header.find(_SEGMENT) + len(_SEGMENT)
    length = 9 - header[at].bit_length() if at >= len(_SEGMENT) else 0  # of the size, by its leading zeros
    size = int.from_bytes(header[at : at + length], "big") & ((1 << 7 * length) - 1)
    return at + length + size if size + 1 < 1 << 7 * length else 0


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
