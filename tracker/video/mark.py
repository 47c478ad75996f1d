"""The mark in every video and picture that posetrack writes: by it a folder's results are known from its sources."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av

from ...errors import SourceError
from .opening import open_media

MARK = "Annotated by posetrack"
VIDEOS, PICTURES = (".mp4", ".mov", ".mkv"), (".png", ".jpg", ".jpeg")  # that are written


def marked(data: bytes, suffix: str) -> bytes:
    """Return an encoded PNG or JPEG with the mark in its header."""
    text = MARK.encode()
    if suffix.lower() == ".png":  # a text chunk behind the signature and the first chunk, IHDR
        chunk = b"tEXtComment\0" + text
        return data[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    return data[:2] + comment + data[2:]  # behind the first marker


def is_marked(path: Path) -> bool:
    """Return whether a file is a video or picture that posetrack wrote; one that cannot be read is not."""
    suffix = path.suffix.lower()
    try:
        if suffix in PICTURES:
            with path.open("rb") as file:
                return MARK.encode() in file.read(256)
        if suffix in VIDEOS:
            with open_media(f"file:{path}") as container:
                return MARK in container.metadata.values()
    except (av.FFmpegError, OSError, SourceError, ValueError):  # ValueError: metadata that is no text
        pass
    return False
