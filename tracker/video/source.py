"""Open anything that gives frames: a video, a picture, a camera or a stream, all read in the same way."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError, UsageError
from ..types import Frame
from .address import IMAGE_SUFFIXES, parse_source, redact
from .camera import CameraReader
from .container import ContainerReader
from .image import ImageReader
from .live import Newest

log = logging.getLogger("posetrack")


class Reader(Protocol):
    """What a kind of source has to offer: (image (H, W, 3) BGR uint8, seconds) and what is known beforehand."""

    fps: float | None
    frame_count: int | None
    duration: float | None
    live: bool
    failed: int
    damage: str | None

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], float]]: ...

    def close(self) -> None:
        """Release the file, device or connection."""


class Source:
    """Frames, read once, in order; closes itself at their end.

    A live source gives its newest frame: what came in between is dropped and counted. Its times count from the first
    frame that was taken.

    Attributes:
        name: what to call it, without credentials.
        path: of the file; None for cameras and streams.
        size: (width, height) pixels of the first frame, upright.
        fps: average rate as announced; None if unknown.
        frame_count: estimate of the frames to come at the opening; None if unknown.
        duration: seconds of the whole video; None if unknown.
        live: the source does not wait for its reader.
        frames_read: frames given so far.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        name: str,
        path: Path | None = None,
        start: float | None = None,
        end: float | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Wait for the first frame.

        Raises:
            SourceError: there is none.
            UsageError: a live source is asked to start later.
        """
        self.name, self.path, self.live = name, path, reader.live
        self.fps, self.frame_count, self.duration = reader.fps, reader.frame_count, reader.duration
        self.frames_read = 0
        self._reader, self._start, self._end = reader, start, end
        self._origin: float | None = None
        self._newest: Newest | None = None
        self._closed = False
        try:
            if self.live:
                if start:
                    raise UsageError(f"'{name}' is live and cannot start at {start:g} s. Leave the start out.")
                self._newest = Newest(iter(reader), close=reader.close, name=name, timeout=timeout)
                image, _ = self._newest.peek()
                self._items: Iterator[tuple[NDArray[np.uint8], float]] = self._newest
            else:
                items = iter(reader)
                first = next(items)
                image, _ = first
                self._items = itertools.chain([first], items)
        except StopIteration:
            self.close()
            raise SourceError(self._why_empty()) from None
        except BaseException:
            self.close()
            raise
        self.size: tuple[int, int] = image.shape[1], image.shape[0]

    def _why_empty(self) -> str:
        if self._start and (self.duration is None or self._start >= self.duration):
            lasts = f" it lasts {self.duration:.2f} s" if self.duration else " it is over by then"
            return f"'{self.name}' has no frame after {self._start:g} s:{lasts}. Give an earlier start."
        if self._start or self._end:
            return f"'{self.name}' has no frame between the start and the end that were given. Give a longer stretch."
        failed = f" ({self.frames_failed} could not be decoded)" if self.frames_failed else ""
        return f"'{self.name}' has no frame that can be read{failed}. Check it with a player, or record it again."

    @property
    def frames_failed(self) -> int:
        """Frames that could not be decoded."""
        return self._reader.failed

    @property
    def frames_dropped(self) -> int:
        """Frames of a live source that were skipped to stay with the newest."""
        return self._newest.dropped if self._newest else 0

    @property
    def damage(self) -> str | None:
        """What is wrong with the file, known at its end; None if nothing is."""
        return self._reader.damage

    def __iter__(self) -> Source:
        return self

    def __next__(self) -> Frame:
        if self._closed:
            raise StopIteration
        try:
            image, seconds = next(self._items)
        except StopIteration:
            self._report()
            self.close()
            raise
        except BaseException:
            self.close()
            raise
        if self.live:
            self._origin = seconds if self._origin is None else self._origin
            seconds -= self._origin
            if self._end is not None and seconds >= self._end:
                self.close()
                raise StopIteration
        frame = Frame(image=image, index=self.frames_read, time=seconds)
        self.frames_read += 1
        return frame

    def _report(self) -> None:
        if self.damage:
            what = "stopped" if self.live else "is damaged"
            log.warning("'%s' %s: %s. What could be read was used.", self.name, what, self.damage)
        elif self.frames_failed:
            log.warning("'%s': %d frames could not be decoded and were left out.", self.name, self.frames_failed)

    def close(self) -> None:
        """Release the file, device or connection; twice is fine."""
        if not self._closed:
            self._closed = True
            (self._newest or self._reader).close()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(
    source: str | int | Path, *, start: float | None = None, end: float | None = None, timeout: float = 10.0
) -> Source:
    """Open a video, a picture, a camera or a stream.

    Args:
        source: a path; a camera's index, 0 or "0" (a file of that name goes first); or a URL (rtsp, http, ...).
        start: seconds of the source's own time; frames before it are left out. Not for live sources.
        end: seconds; frames from it on are left out.
        timeout: seconds to wait for a stream or camera to open, and for each frame.

    Returns:
        An iterator of `Frame` and a context manager. `Frame.index` counts the frames given, `Frame.time` is the
        source's own timestamp, so after a start at 10 s the first frame has index 0 and time 10.

    Raises:
        SourceError: it cannot be read, or has no frame.
        UsageError: start, end or timeout make no sense.
    """
    for word, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise UsageError(f"The {word} is {value} s. Give seconds from 0 on.")
    if end is not None and end <= (start or 0.0):
        raise UsageError(f"The end, {end:g} s, does not come after the start, {start or 0:g} s. Give a later end.")
    if not timeout > 0:
        raise UsageError(f"The timeout is {timeout} s. Give a number above 0.")
    what = parse_source(source)
    if isinstance(what, int):
        return Source(CameraReader(what), name=f"camera {what}", start=start, end=end, timeout=timeout)
    name = redact(what) if isinstance(what, str) else str(what)
    if isinstance(what, str):
        reader = ContainerReader(what, name=name, start=start, end=end, timeout=timeout)
        return Source(reader, name=name, start=start, end=end, timeout=timeout)
    _check_file(what)
    if what.suffix.lower() in IMAGE_SUFFIXES:
        return Source(ImageReader(what), name=name, path=what)
    reader = ContainerReader(what, name=name, start=start, end=end, timeout=timeout)
    return Source(reader, name=name, path=what, start=start, end=end)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"'{path}' is a folder. Give one of its files, or process the folder as a batch.")
    if not path.exists():
        raise SourceError(f"There is no file '{path}'. Check the path; a camera is given by its index, such as 0.")
    try:
        with path.open("rb") as file:
            empty = path.is_file() and not file.read(1)
    except OSError as error:
        raise SourceError(f"Cannot read '{path}': {error.strerror}. Check its permissions.") from error
    if empty:
        raise SourceError(f"'{path}' is empty (0 bytes). Copy or record it again.")
