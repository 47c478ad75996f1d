"""Parse the name of a source: camera, URL or file; hide passwords in URLs."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...errors import SourceError

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2ts", ".mts", ".ts", ".wmv"}
    | {".flv", ".3gp", ".ogv", ".mjpeg", ".mjpg", ".gif", ".mxf", ".h264"}
)
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".webp", ".tif", ".tiff", ".jp2"}
    | {".avif", ".heic", ".heif", ".hif"}
)

_URL = re.compile(r"[a-z][a-z0-9+.\-]+://", re.IGNORECASE)
_USER = re.compile(r"(?<=://)\S*@")  # up to the last @, because a password may contain any character
_HIDDEN = "pass|pwd|token|key|auth|secret|sig|credential"
_SECRET = re.compile(rf"([?&;][^=&;\s]*(?:{_HIDDEN})[^=&;\s]*=)[^&;#\s]*", re.IGNORECASE)


def parse_source(source: str | int | Path) -> int | str | Path:
    """Return the index of a camera (int), a URL (str), or the path of a file or folder (Path).

    A numeric string is a camera only if no file has that name; `/dev/video2` is camera 2.

    Raises:
        SourceError: nothing was given, or a negative camera index.
    """
    if isinstance(source, int):
        return _camera(source)
    text = str(source)
    if not text:
        raise SourceError("The source is empty. Give a video, an image, a camera's index or a stream's address.")
    if _URL.match(text):
        return Path(unquote(urlsplit(text).path)) if text.lower().startswith("file://") else text
    path = Path(text).expanduser()
    if re.fullmatch(r"-?\d+", text) and not path.exists():
        return _camera(int(text))
    device = re.fullmatch(r"/dev/video(\d+)", text)
    return int(device[1]) if device else path


def _camera(index: int) -> int:
    if index < 0:
        raise SourceError(f"Camera {index} cannot exist. Camera indices count from 0.")
    return index


def redact(address: str) -> str:
    """Hide the password and every secret parameter of a URL: `rtsp://user:***@host/live?token=***`."""
    return _SECRET.sub(r"\1***", _USER.sub(_hide_user, address))


def _hide_user(match: re.Match[str]) -> str:
    user, colon, _ = match[0].partition(":")
    return f"{user}:***@" if colon and "/" not in user else "***@"
