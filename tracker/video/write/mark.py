"""The mark in the metadata of written videos and images, which tells results from sources."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import av

MARK = "Annotated by posetrack"
VIDEOS, IMAGES = (".mp4", ".mov", ".mkv"), (".png", ".jpg", ".jpeg")  # suffixes that are written


def marked(data: bytes, suffix: str) -> bytes:
    """Return an encoded PNG or JPEG with the mark in its header."""
    text = MARK.encode()
    if suffix.lower() == ".png":  # a text chunk after the signature and the first chunk, IHDR
        chunk = b"tEXtComment\0" + text
        return data[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
    comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    return data[:2] + comment + data[2:]  # after the first marker


def is_marked(path: Path) -> bool:
    """Return whether posetrack wrote this video or image; False if it cannot be read."""
    suffix = path.suffix.lower()
    try:
        if suffix in IMAGES:
            with path.open("rb") as file:
                return MARK.encode() in file.read(256)
        if suffix in VIDEOS:
            with av.open(f"file:{path}") as container:
                return MARK in container.metadata.values()
    except (av.FFmpegError, OSError, ValueError):  # ValueError: metadata that is not text
        pass
    return False
