"""Open media files and streams with all supported versions of PyAV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av

from ....errors import SourceError

# Tags that are not UTF-8 must not prevent reading. PyAV 19 keeps them; older versions need this option.
_TAGS = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}

# Texts that name other files and addresses, which FFmpeg would open with any suffix.
_PLAYLIST = re.compile(rb"\s*(?:ffconcat version|#EXTM3U|v=0\s)|\s*<.*<?(?:MPD|CompositionPlaylist)[\s>]", re.DOTALL)
PLAYLISTS = (".ffconcat", ".m3u8", ".mpd", ".sdp")


def open_media(address: str, *, options: Mapping[str, str] | None = None, timeout: float | None = None) -> Any:
    """Open a container to read.

    Args:
        address: a URL, or `file:` and a path.
        options: of FFmpeg's demuxer.
        timeout: seconds that opening and each read may take; None waits without a limit.

    Raises:
        SourceError: it is a playlist under another name, which may name any file of this machine.
        av.FFmpegError, OSError, ValueError: it cannot be opened.
    """
    path = Path(address.removeprefix("file:"))
    if address.startswith("file:") and path.suffix.lower() not in PLAYLISTS and _is_playlist(path):
        raise SourceError(
            f"'{path}' is a playlist, which opens other files, not a video. Name it with the suffix of its kind "
            f"({' '.join(PLAYLISTS)}) if you trust it."
        )
    return av.open(address, options=dict(options or {}), timeout=timeout, **_TAGS)


def _is_playlist(path: Path) -> bool:
    with path.open("rb") as file:
        return _PLAYLIST.match(file.read(1024)) is not None
