"""Whether a file is one whole video: FFmpeg reads the first of several joined ones, and some cut ones as if whole."""

from __future__ import annotations

import mmap
import re
from pathlib import Path
from typing import Any

from .matroska import is_chain
from .mp4_boxes import count_movies, reaches_beyond

_SIGNATURE = 8  # bytes that begin a file, of which a longer signature has no more in common by chance
_SIGNED = frozenset({"flv", "asf", "ivf"})  # formats that begin with a signature, and are read to their first end
_FRAMED = frozenset({"yuv4mpegpipe", "dv"})  # formats of frames of one size up to the end
_UNKNOWN_RIFF = 0x7FFFFFFF  # bytes, as programs write that cannot know
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # its properties. Source: ASF specification, 3.2
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))  # bytes of a packet, and those before its byte of synchronisation
_SYNC = 0x47
_JPEG_BEGIN, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
# Codecs whose data hold no such run of zeros: start codes are marked by fewer, and the bits of an arithmetic coder are
# as good as random. Source of the former: H.264 and H.265, annex B; MPEG-2, 6.2.1; MPEG-4 part 2, 6.2.1.
_STARTED = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vp8", "vp9"})
_ZEROS = 63  # bytes
_NONZERO = re.compile(rb"[^\0]")
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
    if format in _FRAMED:
        return end != size
    if format == "gif":
        return not _is_whole_gif(path)
    if format == "mjpeg":
        return _is_cut_jpeg(path)
    if format == "mpegts":
        return _is_cut_ts(path)
    return size < _stated_size(path, format) or ("mp4" in format and reaches_beyond(path, size))


def unread(stream: Any, packets: int) -> int:
    """Return how many frames the index of a file lists beyond those that were found; 0 if it has none.

    Args:
        stream: read from beginning to end.
        packets: of the stream.
    """
    return max(0, sum(entry.size > 0 for entry in getattr(stream, "index_entries", ())) - packets)


def has_gap(path: Path, format: str) -> bool:
    """Return whether the parts of a file do not follow each other, in a format in which FFmpeg searches the next."""
    return "matroska" in format and not is_chain(path)


def most_zeros(codec: str, pixels: int) -> int | None:
    """Return the longest run of zeros in bytes that the data of a codec may hold; None if there is no limit.

    Args:
        codec: FFmpeg's name of it.
        pixels: of a frame.
    """
    if codec == "mjpeg":  # an empty block of 8 x 8 pixels takes two bits, and hardly more if they are zeros
        return pixels // 32
    return _ZEROS if codec in _STARTED else None


def has_hole(packet: bytes, *, most: int) -> bool:
    """Return whether zeros, more than `most`, replace a part of a frame; any number may stand before a start code."""
    run, at = bytes(most + 1), 0
    while (at := packet.find(run, at)) >= 0:
        after = _NONZERO.search(packet, at + len(run))
        if after is None:
            return False
        if after[0] != b"\1":
            return True
        at = after.end()
    return False


def _stated_size(path: Path, format: str) -> int:
    """Return the bytes that a file has at least by its header; 0 if it does not say."""
    with path.open("rb") as file:
        header = file.read(4096)
    if format == "avi":
        size = int.from_bytes(header[4:8], "little")
        return size + 8 if size < _UNKNOWN_RIFF else 0
    if format == "asf" and (at := header.find(_ASF_FILE)) > 0:
        return int.from_bytes(header[at + 40 : at + 48], "little")
    return 0


def _is_cut_jpeg(path: Path) -> bool:
    """Return whether the last image of a raw MJPEG stream has no end, unlike those before it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return 0 < data.rfind(_JPEG_END) < data.rfind(_JPEG_BEGIN)


def _is_cut_ts(path: Path) -> bool:
    """Return whether the last packet of a transport stream is cut. Source: ISO/IEC 13818-1, 2.4.3."""
    with path.open("rb") as file:
        begin = file.read(5 * max(length for length, _ in _TS_PACKETS))
    for length, before in _TS_PACKETS:
        if set(begin[before::length]) == {_SYNC}:
            return path.stat().st_size % length > 0
    return False


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
