"""A source of frames, read in the same way whether it is a file, a camera or a stream."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError, UsageError
from ..types import Frame
from .decode.container import ContainerReader
from .decode.soundtrack import Sound
from .live.newest import Newest
from .live.reconnect import Gap, LiveReader, Reconnecting

log = logging.getLogger("posetrack")


class Reader(Protocol):
    """Iterator of (image (H, W, 3) BGR uint8, seconds) for one kind of source, with what its header states.

    Readers of files also have `number`, the number of the last image in the source.
    """

    fps: float | None
    fps_guessed: bool
    frame_count: int | None
    duration: float | None
    live: bool
    failed: int
    damage: str | None

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], float]]: ...

    def close(self) -> None:
        """Release the file, device or connection."""


@dataclass(frozen=True, slots=True)
class SizeChange:
    """Images from frame `frame` on, at `time` seconds, are `width` x `height` pixels."""

    frame: int
    time: float
    width: int
    height: int


class Source:
    """Iterator of frames in order; closes itself at the end.

    A live source yields its newest frame; older frames are dropped and counted. Its times count from the first frame
    read. A lost source is reopened for a limited time, and the time of the gap is kept.

    Attributes:
        name: name in messages, without credentials.
        path: of the file; None for cameras, streams and numbered images.
        size: (width, height) pixels of the first frame, upright.
        fps: average rate as announced; None if unknown.
        fps_guessed: whether the rate is an assumption.
        frame_count: estimated number of frames; None if unknown.
        duration: seconds of the whole video; None if unknown.
        live: whether frames are dropped if they are not read in time.
        started: UTC at which a live source's time was 0, by this machine's clock; None before its first frame, and for
            files.
        frames_read: number of frames read so far.
        last_index: number of the last frame read; None before the first.
        size_changes: changes of the image size.
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
        reopen: Callable[[], Any] | None = None,
        reconnect: float = 0.0,
    ) -> None:
        """Wait for the first frame.

        Args:
            reader: reader of this kind of source; for live sources a `LiveReader`.
            name: name in messages, without credentials.
            path: of the file.
            start: seconds; the reader omits earlier frames.
            end: seconds; the reader omits frames from it on.
            timeout: seconds to wait for a frame of a live source.
            reopen: opens another reader of a live source that was lost.
            reconnect: seconds to try to reopen it.

        Raises:
            SourceError: there is no frame.
            UsageError: a start is given for a live source.
        """
        self.name, self.path, self.live = name, path, reader.live
        self.fps, self.fps_guessed = reader.fps, reader.fps_guessed
        self.frame_count, self.duration = reader.frame_count, reader.duration
        self.started: datetime | None = None
        self.frames_read = 0
        self.last_index: int | None = None
        self.size_changes: list[SizeChange] = []
        self._reader: Any = reader
        self._start, self._end = start, end
        self._origin: float | None = None
        self._newest: Newest | None = None
        self._closed = False
        try:
            if self.live:
                if start:
                    raise UsageError(f"'{name}' is live and cannot start at {start:g} s. Leave the start out.")
                self._reader = Reconnecting(cast(LiveReader, reader), reopen, name=name, wait=reconnect)
                self._newest = Newest(self._reader, name=name, timeout=timeout + reconnect)
                image = self._newest.peek(timeout).image
            else:
                items = iter(reader)
                first = next(items)
                image, _ = first
                self._images = itertools.chain(iter([first]), items)  # of a list, the chain would keep the image
        except StopIteration:
            self.close()
            raise SourceError(self._why_empty()) from None
        except BaseException:
            self.close()
            raise
        self.size: tuple[int, int] = image.shape[1], image.shape[0]
        self._size = self.size

    def _why_empty(self) -> str:
        if self._start and (self.duration is None or self._start >= self.duration):
            lasts = f" it lasts {self.duration:.2f} s" if self.duration else " it is over by then"
            return f"'{self.name}' has no frame after {self._start:g} s:{lasts}. Give an earlier start."
        if self._start or self._end:
            return f"'{self.name}' has no frame between the start and the end that were given. Give a longer stretch."
        failed = f" ({self.frames_failed} could not be decoded)" if self.frames_failed else ""
        return f"'{self.name}' has no frame that can be read{failed}. Check it with a player, or record it again."

    @property
    def closed(self) -> bool:
        """Whether there are no more frames: all were read, or the source was closed."""
        return self._closed

    @property
    def sound(self) -> Sound | None:
        """Sound of the file; None if it has none, or if another rate than the file's was requested."""
        if self.path is None or not isinstance(self._reader, ContainerReader) or self._reader.clock.counted:
            return None
        return Sound(self.path, self._reader.clock)

    @property
    def frames_failed(self) -> int:
        """Frames that are missing or could not be decoded."""
        return self._reader.failed

    @property
    def frames_dropped(self) -> int:
        """Frames of a live source that were skipped to stay with the newest."""
        return self._newest.dropped if self._newest else 0

    @property
    def gaps(self) -> list[Gap]:
        """Times in which a live source was lost, in seconds of its frames."""
        origin = self._origin or 0.0
        gaps = self._reader.gaps if self._newest else []
        return [Gap(max(0.0, gap.start - origin), gap.end - origin) for gap in gaps]

    @property
    def damage(self) -> str | None:
        """Description of damage to the file, known at its end; None if there is none."""
        return self._reader.damage

    def __iter__(self) -> Source:
        return self

    def __next__(self) -> Frame:
        if self._closed:
            raise StopIteration
        try:
            image, seconds, captured, number = self._next()
        except StopIteration:
            self._report()
            self.close()
            raise
        except BaseException:
            self.close()
            raise
        if self.live and self._end is not None and seconds >= self._end:
            self.close()
            raise StopIteration
        size = image.shape[1], image.shape[0]
        if size != self._size:
            self._size = size
            self.size_changes.append(SizeChange(number, seconds, *size))
            log.warning("'%s' gives %d x %d pixels from %.2f s on.", self.name, *size, seconds)
        frame = Frame(image=image, index=number, time=seconds, captured=captured)
        self.frames_read += 1
        self.last_index = number
        return frame

    def _next(self) -> tuple[NDArray[np.uint8], float, float | None, int]:
        """Return the next image, its time, its capture time and its number."""
        if self._newest is None:
            image, seconds = next(self._images)
            return image, seconds, None, self._reader.number
        shot = next(self._newest)
        if self._origin is None:
            self._origin = shot.time
            self.started = datetime.now(UTC) - timedelta(seconds=time.monotonic() - shot.captured)
        number = self._newest.number + self._missed(shot.time)
        return shot.image, shot.time - self._origin, shot.captured, number

    def _missed(self, time: float) -> int:
        """Return how many frames a live source of known rate produced while it was lost, before this time."""
        lost = [gap.end - gap.start for gap in self._reader.gaps if gap.end <= time]
        return sum(max(0, round(seconds * self.fps) - 1) for seconds in lost) if self.fps else 0

    def _report(self) -> None:
        if self.damage:
            what = "stopped" if self.live else "is damaged"
            log.warning("'%s' %s: %s. What could be read was used.", self.name, what, self.damage)
        elif self.frames_failed:
            log.warning("'%s': %d frames are missing or could not be decoded.", self.name, self.frames_failed)

    def close(self) -> None:
        """Release the file, device or connection; may be called twice, for live sources also from another thread."""
        if not self._closed:
            self._closed = True
            (self._newest or self._reader).close()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
