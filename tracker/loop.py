"""The main loop: read a frame, find its people, write them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from .pipeline import Observed, Pipeline
from .stages import side_by_side
from .timings import LATENCY
from .types import Detections, Frame, Poses, Tracks
from .video.source import Source

WAITING = 3  # items queued behind each stage of a file: a slow frame does not stall the others

Ahead = tuple[Frame, Detections | None, Future[Poses] | None]  # computed before the tracker gets the frame


class Output(Protocol):
    """Destination of the tracks."""

    @property
    def closed(self) -> bool:
        """Whether the user ended the run."""

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Write the people of one frame."""


def loop(
    frames: Source,
    pipeline: Pipeline,
    sinks: Output,
    step: Callable[[int], None],
    *,
    threads: bool = True,
    pace: Callable[[int], None] | None = None,
    observed: Callable[[Frame], Observed] | None = None,
) -> None:
    """Track every frame of a source and write the results.

    Results computed before an error are written before the error is raised. Ctrl-C or a closed window completes a live
    run and leaves a file run incomplete.

    Args:
        frames: source.
        pipeline: frames to tracks.
        sinks: outputs; used in the calling thread, because windows need the main thread.
        step: called after each frame with its number of people.
        threads: False runs all steps in the calling thread.
        pace: as in `track_frames`.
        observed: as in `track_frames`.
    """
    with track_frames(frames, pipeline, threads=threads, pace=pace, observed=observed) as people:
        try:
            for frame, tracks in people:
                sinks.write(frame, tracks)
                if frame.captured is not None:
                    pipeline.timings.add(LATENCY, 1000 * (time.monotonic() - frame.captured))
                step(len(tracks))
                if sinks.closed:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            if not frames.live:
                raise


@contextmanager
def track_frames(
    frames: Source,
    pipeline: Pipeline,
    *,
    threads: bool = True,
    pace: Callable[[int], None] | None = None,
    observed: Callable[[Frame], Observed] | None = None,
) -> Iterator[Iterator[tuple[Frame, Tracks]]]:
    """Give the tracks of every frame of a source, in order.

    Reading with detection, pose estimation and tracking run in parallel threads, ahead of the caller; pose estimation
    runs on up to `pipeline.streams` frames at once. The results do not depend on the threads.

    Args:
        frames: source.
        pipeline: frames to tracks.
        threads: False runs all steps in the calling thread.
        pace: called with the source's number of dropped frames before each frame is tracked, in the same thread: it
            may change the schedule's limits.
        observed: gives what other sessions observed of a frame, in order; no network runs then.
    """

    def read(source: Iterator[Frame]) -> Iterator[Ahead]:
        while (frame := next_frame(source)) is not None:
            yield frame, None, None

    def detect(source: Iterator[Frame]) -> Iterator[Ahead]:
        while (frame := next_frame(source)) is not None:
            detections = pipeline.detect(frame)
            yield frame, detections, estimators.submit(pipeline.estimate, frame, detections)

    def track(ahead: Iterator[Ahead]) -> Iterator[tuple[Frame, Tracks]]:
        for frame, detections, poses in ahead:
            if pace:
                pace(frames.frames_dropped)
            if observed:
                yield frame, pipeline.replay(frame, observed(frame))
            else:
                yield frame, pipeline(frame, detections, poses.result() if poses else None)

    def next_frame(source: Iterator[Frame]) -> Frame | None:
        with pipeline.timings.stage("read"):
            return next(source, None)

    waiting = 1 if frames.live else WAITING  # queued frames add latency
    skips = pipeline.schedule.skips  # the tracks then decide what is detected: nothing can be computed ahead of them
    first = detect if threads and not skips and not observed else read
    with (
        ThreadPoolExecutor(pipeline.streams, "posetrack-pose") as estimators,
        side_by_side(frames, first, track, limit=waiting, size=_size, threads=threads) as people,
    ):
        try:
            yield people
        finally:
            if frames.live:
                frames.close()  # the first stage would otherwise wait for another frame


def _size(item: tuple[Any, ...]) -> int:
    """Return the bytes of the frame with which an item begins."""
    return int(item[0].image.nbytes)
