"""Open any source of frames: video, image, camera or stream. All are read in the same way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ...errors import SourceError, UsageError
from .address import no_file, parse_source, shown
from .batch import expand
from .decode.container import ContainerReader
from .images.album import open_images
from .images.contents import is_image
from .images.sequence import is_sequence, open_sequence
from .live.camera import CameraReader
from .source import Source


def open_source(
    source: str | int | Path,
    *,
    stream: int | None = None,
    fps: float | None = None,
    start: float | None = None,
    end: float | None = None,
    timeout: float = 10.0,
    reconnect: float = 30.0,
    name: str | None = None,
) -> Source:
    """Open a video, an image, numbered images, a camera or a stream.

    Args:
        source: a path; a camera index, 0 or "0" (a file of that name has precedence); a URL (rtsp, http, ...); or
            numbered images, `frame%04d.jpg`, or with `fps` their folder or glob.
        stream: index of the video stream in its file; None selects the one that FFmpeg selects.
        fps: frames per second that replace the times of a file: frame n is at n / fps. Not for live sources.
        start: seconds of the source's own time; earlier frames are omitted. Not for live sources.
        end: seconds; frames from it on are omitted.
        timeout: seconds to wait for a stream or camera to open, and for each frame.
        reconnect: seconds to try to reopen a lost stream or camera; 0 gives up at once.
        name: its name in messages and results; None: its path, or its address without credentials.

    Returns:
        An iterator of `Frame` and a context manager. `Frame.index` is the frame's number in the source and `Frame.time`
        the source's own timestamp: at 30 frames per second, the first frame after a start at 10 s has index 300.
        Damaged and dropped frames count, too.

    Raises:
        SourceError: it cannot be read, or has no frame.
        UsageError: stream, fps, start, end, timeout or reconnect is invalid.
    """
    for word, value in (("start", start), ("end", end)):
        if value is not None and not (_is_number(value) and value >= 0):
            raise UsageError(f"The {word} is {value!r} s. Give seconds from 0 on.")
    if end is not None and end <= (start or 0.0):
        raise UsageError(f"The end, {end:g} s, does not come after the start, {start or 0:g} s. Give a later end.")
    if fps is not None and not (_is_number(fps) and fps > 0):
        raise UsageError(f"The rate is {fps!r} frames per second. Give a number above 0.")
    if not timeout > 0:
        raise UsageError(f"The timeout is {timeout} s. Give a number above 0.")
    if not (math.isfinite(reconnect) and reconnect >= 0):
        raise UsageError(f"The time to reconnect is {reconnect} s. Give a number from 0 on.")
    what = parse_source(source)
    given, name = name, name or shown(what)
    if not isinstance(what, Path):
        if isinstance(what, int) and (stream is not None or fps is not None):
            raise UsageError(f"'{name}' has a single stream and its own times. Leave stream and fps out.")

        def connect() -> Any:
            if isinstance(what, int):
                return CameraReader(what)
            return ContainerReader(what, name=name, stream=stream, fps=fps, start=start, end=end, timeout=timeout)

        return Source(connect(), name=name, start=start, end=end, timeout=timeout, reopen=connect, reconnect=reconnect)
    what = _as_sequence(what, fps)
    numbered = is_sequence(what)
    if not numbered:
        _check_file(what)
    if numbered or is_image(what):
        if stream is not None:
            raise UsageError(f"'{name}' holds images and no streams. Leave stream {stream} out.")
        read: Any = open_sequence if numbered else open_images
        images = read(what, fps=fps, start=start, end=end)
        return Source(images, name=given or str(what), path=None if numbered else what, start=start, end=end)
    reader = ContainerReader(what, name=name, stream=stream, fps=fps, start=start, end=end, timeout=timeout)
    return Source(reader, name=name, path=what, start=start, end=end)


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(value) and not isinstance(value, bool)
    except TypeError:
        return False


def _as_sequence(path: Path, fps: float | None) -> Path:
    """Return the pattern of the numbered images if a folder or glob contains nothing else; otherwise the path."""
    if fps is None or path.is_file():
        return path
    found = [item.source for item in expand(path, fps=fps)]
    return found[0] if len(found) == 1 and isinstance(found[0], Path) and is_sequence(found[0]) else path


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(
            f"'{path}' is a folder. Give one of its files, a rate if it holds one video's numbered images, "
            f"or process the folder as a batch."
        )
    if not path.exists():
        raise no_file(path)
    if not path.is_file():
        raise SourceError(f"'{path}' is a pipe, a socket or a device, and a file is read more than once. Give a file.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise SourceError(f"Cannot read '{path}': {error.strerror}. Check its permissions.") from error
    if empty:
        raise SourceError(f"'{path}' is empty (0 bytes). Copy or record it again.")
