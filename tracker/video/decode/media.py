"""Open media files and streams with all supported versions of PyAV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av

# Tags that are not UTF-8 must not prevent reading. PyAV 19 keeps them; older versions need this option.
_TAGS = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}


def open_media(address: str, *, options: Mapping[str, str] | None = None, timeout: float | None = None) -> Any:
    """Open a container to read.

    Args:
        address: a URL, or `file:` and a path.
        options: of FFmpeg's demuxer.
        timeout: seconds that opening and each read may take; None waits without a limit.

    Raises:
        av.FFmpegError, OSError, ValueError: it cannot be opened.
    """
    return av.open(address, options=dict(options or {}), timeout=timeout, **_TAGS)
