"""Parse the name of a source: camera, URL or file; hide passwords in URLs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from numbers import Integral
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...errors import SourceError

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2ts", ".mts", ".ts", ".wmv"}
    | {".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".asf", ".divx", ".vob", ".mxf", ".dv", ".gif", ".mjpeg", ".mjpg"}
    | {".m2v", ".y4m", ".ivf", ".h264", ".264", ".h265", ".265", ".hevc"}
)
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".webp", ".tif", ".tiff", ".jp2"}
    | {".avif", ".heic", ".heif", ".hif"}
)

_URL = re.compile(r"[a-z][a-z0-9+.\-]+://", re.IGNORECASE)
# Both take time in proportion to the text, which may be any file's: the length of a scheme is bounded.
_ANY_URL = re.compile(r"([a-z][a-z0-9+.\-]{1,40}):/+([^\s'\"]*)", re.IGNORECASE)  # a path has one slash of two
_KEY = re.compile(r"(?:s3a?|gs|gcs|abfss?|az):/+[^?#@]+", re.IGNORECASE)  # in a bucket, whose names are no secrets
_WORD = re.compile(r"[^\s'\"]+")
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?")
_HIDDEN = "***"
_WORDS = (
    "live|streams?|streaming|channels?|ch|cam|camera|video|videos|media|play|main|sub|h26[45]|mjpe?g|profile|onvif|"
    "index|master|playlist|unicast|tcp|udp"
)
_HARMLESS = re.compile(rf"(?:{_WORDS}|[a-z])?[_-]?\d{{0,3}}(?:\.(?:m3u8|mpd|sdp|[a-z0-9]{{3}}))?", re.IGNORECASE)
_PARAMETER = re.compile(
    rf"(?:channel|subtype|stream|camera|resolution|width|height|fps|n|profile|codec|transport|tcp|udp)"
    rf"=(?:\d{{1,4}}(?:x\d{{1,4}})?|{_WORDS})",
    re.IGNORECASE,
)


def parse_source(source: str | int | Path) -> int | str | Path:
    """Return the index of a camera (int), a URL (str), or the path of a file or folder (Path).

    A numeric string is a camera only if no file has that name; `/dev/video2` is camera 2.

    Raises:
        SourceError: nothing was given, another type, or a negative camera index.
    """
    if isinstance(source, bool) or not isinstance(source, Integral | str | os.PathLike):
        raise SourceError(
            f"A source is of type {type(source).__name__}. Give a path, a camera's index or a stream's address; "
            f"images in memory go to a pipeline, one by one."
        )
    if isinstance(source, Integral):
        return _camera(int(source))
    text = os.fspath(source)
    if not text:
        raise SourceError("The source is empty. Give a video, an image, a camera's index or a stream's address.")
    if _URL.match(text):
        return Path(unquote(urlsplit(text).path)) if text.lower().startswith("file://") else text
    path = Path(os.path.expanduser(text))  # noqa: PTH111 (of an unknown user, it raises nothing)
    if re.fullmatch(r"-?\d+", text) and not path.exists():
        return _camera(int(text))
    device = re.fullmatch(r"/dev/video(\d+)", text)
    return int(device[1]) if device else path


def _camera(index: int) -> int:
    if index < 0:
        raise SourceError(f"Camera {index} cannot exist. Camera indices count from 0.")
    return index


def no_file(path: Path) -> SourceError:
    """Return the error of a path at which there is nothing."""
    return SourceError(f"There is no file '{shown(path)}'. Check the path; a camera is given by its index, such as 0.")


def shown(what: int | str | Path) -> str:
    """Return what messages and outputs call a source, from `parse_source`."""
    if isinstance(what, int):
        return f"camera {what}"
    text = str(what)
    if not re.search(":/|:.*@", text) or _KEY.fullmatch(text) or (isinstance(what, Path) and what.exists()):
        return text
    return redact(re.sub(r"[\s'\"]", "_", text))


def redact(text: str) -> str:
    """Hide all that may be secret in every address of a text: `rtsp://***@host:554/live/***?channel=1&***`.

    Scheme, host and port are shown, and those words and short numbers of the path and the parameters that cameras and
    servers commonly use. `user:password@host` is an address without its scheme.
    """
    if _ANY_URL.search(text):
        return _ANY_URL.sub(lambda match: f"{match[1]}://{_plain(match[2])}", text)
    return _WORD.sub(lambda match: _plain(match[0]) if _has_login(match[0]) else match[0], text)


def redact_error(text: str, words: Iterable[str]) -> str:
    """Hide what may be secret in an error: addresses among the words of a command, and all with a login or parameters.

    Other addresses, such as that of a published network, are shown.
    """
    for word in sorted(words, key=len, reverse=True):
        for form in (word, word.partition("=")[2] if word.startswith("-") else word):
            with suppress(OSError, ValueError):  # no file has such a name
                for name in (form, str(Path(form))):
                    if len(name) > 1 and not _KEY.fullmatch(name) and (hidden := shown(Path(name))) != name:
                        text = text.replace(name, hidden)
    return _ANY_URL.sub(lambda match: redact(match[0]) if re.search("[@?#]", match[2]) else match[0], text)


def _has_login(word: str) -> bool:
    return 0 <= word.find(":") < word.rfind("@")


def _plain(address: str) -> str:
    """Hide what may be secret in an address without its scheme."""
    authority = re.split("[/?#]", address, maxsplit=1)[0]
    rest = address[len(authority) :]
    _, at, host = authority.rpartition("@")
    if "@" in rest or not _HOST.fullmatch(host):  # where a password ends cannot be seen
        return _HIDDEN
    place, hash_mark, _ = rest.partition("#")
    place, question_mark, query = place.partition("?")
    path = place.split("/")[1:]
    parts = [part if _HARMLESS.fullmatch(part) else _HIDDEN for part in path]
    parameters = [part if _PARAMETER.fullmatch(part) else _HIDDEN for part in re.split("[&;]", query)]
    hidden = f"{_HIDDEN}@" if at else ""
    end = f"?{'&'.join(parameters)}" if question_mark else ""
    return f"{hidden}{'/'.join([host, *parts])}{end}{f'#{_HIDDEN}' if hash_mark else ''}"
