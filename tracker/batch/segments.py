"""Track one long video in parts: workers observe its segments, and one tracker follows the people through all of them.

What takes time, detection and poses, needs the tracks of the last seconds only. So each worker starts some seconds
before its segment, with its own tracker, and its observations are those of a run from the beginning. One tracker
then gets them all in order, and gives IDs, smoothing and the memory of people as if there were no segments.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import PosetrackError, SourceError
from ..config.source import Source as SourceOptions
from ..loop import track_frames
from ..pipeline import Observed, Pipeline
from ..run.staging import fetched
from ..stages import Stage, parallel
from ..video.decode.container import TOLERANCE
from ..video.open import open_source
from ..video.place import Remote
from ..video.source import Source
from .schedule import Lost, WorkerPool, schedule
from .worker import Finished

if TYPE_CHECKING:
    from ..types import Frame

LENGTH = 60.0  # seconds of a segment; results do not depend on the number of workers
OVERLAP = 6.0  # seconds before a segment; a person without a box is followed for four


@dataclass(frozen=True, slots=True)
class Segment:
    """The part of a video from `begin` to `end`, seconds; it is read from `start` on. An end of None is the video's."""

    start: float
    begin: float
    end: float | None


def split(
    begin: float, end: float, *, last: float | None, length: float = LENGTH, overlap: float = OVERLAP
) -> list[Segment]:
    """Return the segments of a video.

    Args:
        begin: seconds.
        end: seconds, about.
        last: end of the last segment; None for that of the video.
        length: seconds of each.
        overlap: seconds that are read before each.
    """
    count = max(1, math.ceil((end - begin) / length - 0.5))  # the last one is half to one and a half as long
    borders = [begin + number * length for number in range(count)]
    return [
        Segment(max(begin, border - overlap), border, after) for border, after in zip(borders, [*borders[1:], last])
    ]


@dataclass(frozen=True, slots=True)
class Observe:
    """The task of observing a segment of a video, of which a worker makes its own copy if it is in a store."""

    source: Path | Remote
    segment: Segment
    reading: SourceOptions

    def __call__(self, pipeline: Pipeline, step: Callable[[], object]) -> list[Observed]:
        """Return what is observed of each frame of the segment.

        Raises:
            PosetrackError: the video cannot be read.
        """
        kept: list[Observed] = []

        def record(observed: Observed) -> None:
            if observed.time >= self.segment.begin - TOLERANCE:
                kept.append(observed)

        session = pipeline.session()
        session.record = record
        part = {"start": self.segment.start or None, "end": self.segment.end, "name": str(self.source)}
        with (
            fetched(self.source) as path,
            open_source(**(dataclasses.asdict(self.reading) | part | {"source": path})) as frames,
            track_frames(frames, session, threads=parallel(session.estimator.network)) as people,
        ):
            for _ in people:
                step()
        return kept


def segments_of(frames: Source, reading: SourceOptions) -> list[Segment]:
    """Return the segments of an opened source; one if it is no video, or not a long one."""
    whole = frames.path is None or frames.duration is None or reading.fps is not None  # no seeking by other times
    begin = reading.start or 0.0
    end = begin if whole else min(frames.duration or 0.0, reading.end or math.inf)
    return split(begin, end, last=reading.end)


@contextmanager
def observing(
    frames: Source,
    source: Path | Remote,
    reading: SourceOptions,
    segments: Sequence[Segment],
    workers: WorkerPool,
    *,
    count: int,
) -> Iterator[Callable[[Frame], Observed]]:
    """Observe the segments of a source in workers; gives a function that returns what was observed of each frame.

    As many segments are kept in memory as there are workers, and the one in use.

    Args:
        frames: the opened source.
        source: its file, as the workers find it.
        reading: options of reading it.
        segments: in order.
        workers: none of which is started yet.
        count: of workers.
    """
    tasks = [Observe(source, segment, reading) for segment in segments]
    stop = threading.Event()
    try:
        with closing(Stage(_in_order(schedule(workers, tasks, count=count), stop), limit=count)) as ready:
            try:
                observed = (each for segment in ready for each in segment)
                yield lambda frame: _of(frame, observed, frames.name)
            finally:
                stop.set()
    finally:
        workers.close()


def _in_order(messages: Iterator[tuple[int, Any]], stop: threading.Event) -> Iterator[list[Observed]]:
    """Yield the results of tasks in the order of their numbers, until `stop`."""
    results: dict[int, list[Observed]] = {}
    next_number = 0
    for number, message in messages:
        if stop.is_set():
            return
        if isinstance(message, Lost):
            raise PosetrackError(
                f"Segment {number + 1} of the video ended every process that tracked it; the last one {message.why}. "
                "Give fewer --jobs, or more memory."
            )
        if not isinstance(message, Finished):
            continue
        if isinstance(message.result, PosetrackError):
            raise message.result
        results[number] = message.result
        while next_number in results:
            yield results.pop(next_number)
            next_number += 1


def _of(frame: Frame, observed: Iterator[Observed], name: str) -> Observed:
    """Return what was observed of a frame.

    Raises:
        SourceError: the frames of the segments are not those of the video.
    """
    for each in observed:
        if each.time > frame.time + TOLERANCE:
            break
        if each.time >= frame.time - TOLERANCE:
            return each
    raise SourceError(
        f"'{name}' has no frame at {frame.time:.3f} s when it is read from its middle: its index is damaged. Leave "
        "--jobs out."
    )
