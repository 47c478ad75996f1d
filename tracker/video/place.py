"""The place of a file or folder in a store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from urllib.parse import urlsplit

from .address import redact

# Addresses that FFmpeg reads as it plays. With those of `_SERVERS`, also folders of files are named.
_LIVE = frozenset(
    {"rtsp", "rtsps", "rtmp", "rtmps", "rtmpe", "rtmpt", "rtmpte", "rtmpts", "rtp", "srtp", "udp", "udplite", "tcp"}
    | {"tls", "srt", "rist", "sctp", "mms", "mmsh", "mmst", "icecast"}
)
_STREAMS = _LIVE | {"file", "hls", "unix", "pipe", "gopher", "concat", "subfile", "data", "ipfs", "ipns"}
_SERVERS = frozenset({"http", "https", "ftp", "sftp"})


def is_in_store(name: str) -> bool:
    """Return whether a name is the address of a file or folder in a store: `s3://bucket/videos`, `https://host/videos/`.

    Of servers that FFmpeg reads from, only a folder, with a slash at its end, or a pattern with `*` is one.
    """
    match = re.match(r"([a-z][a-z0-9+.\-]+)://(.+)", name, re.IGNORECASE)
    if not match or (scheme := match[1].lower()) in _STREAMS:
        return False
    if scheme not in _SERVERS:
        return True
    path = urlsplit(name).path
    return not re.search("[?#]", name) and ("*" in path or (path.endswith("/") and path != "/"))


def is_endless(source: object) -> bool:
    """Return whether a parsed source is a camera or the address of a live stream; behind http there may be a file."""
    return isinstance(source, int) or (isinstance(source, str) and source.partition("://")[0].lower() in _LIVE)


@dataclass(frozen=True, slots=True, repr=False)
class Remote:
    """A file or folder in a store. As text, it is its address without what may be secret.

    Attributes:
        store: the address by which the store is opened; it may have a password.
        path: of the file, as the store names it.
        listed: whether the store has stated that the file exists.
        size: bytes, if stated.
        mtime: seconds since 1970 of its last change, if stated.
        etag: what the store calls this version of the file, if stated.
    """

    store: str
    path: str
    listed: bool = False
    size: int | None = None
    mtime: float | None = None
    etag: str | None = None

    def __str__(self) -> str:
        if "://" not in self.path:
            return f"{self.scheme}://{self.path}"
        folder = self.store.partition("*")[0].rpartition("/")[0]
        return redact(folder) + self.path.removeprefix(folder)  # the server lists the rest

    __repr__ = __str__

    @property
    def scheme(self) -> str:
        """Kind of the store: `s3`."""
        return self.store.partition("://")[0].lower()

    @property
    def name(self) -> str:
        """Last part of the path."""
        return PurePosixPath(self.path).name

    @property
    def parent(self) -> Remote:
        """The folder of the file."""
        return Remote(self.store, self.path.rstrip("/").rpartition("/")[0])

    def __truediv__(self, below: str | PurePath) -> Remote:
        return Remote(self.store, f"{self.path.rstrip('/')}/{PurePath(below).as_posix()}")

    def relative_to(self, folder: Remote) -> PurePosixPath:
        """Return the path below a folder."""
        return PurePosixPath(self.path.removeprefix(folder.path).lstrip("/"))
