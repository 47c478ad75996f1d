"""The whole application in one loop: read, see, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from .output.sinks import Sinks
from .output.twice import Twice
from .pipeline import Pipeline
from .stages import side_by_side
from .timings import LATENCY
from .types import Detections, Frame, Poses, Tracks
from .video.source import Source

WAITING = 3  # items behind each stage of a file: enough that a slow frame does not stop the others

Seen = tuple[Frame, Detections | None, Future[Poses] | None]  # what was found ahead of the tracks


def loop(
    frames: Source, pipeline: Pipeline, sinks: Sinks | Twice, step: Callable[[int], None], *, threads: bool = True
) -> None:
    """Track every frame and write it.

    Reading and detection, poses, tracks, and everything that is written run side by side, and poses of as many frames
    at once as the pipeline has streams; the results do not depend on that. What was computed before an error is written
    before the error is raised. Ctrl-C, or a closed window, ends a live source well and leaves a file unfinished.

    Args:
        frames: the source.
        pipeline: from frames to people.
        sinks: where they go; used in this thread, because windows want the main one.
        step: is told the number of people after each frame.
        threads: False does one thing after the other.
    """

    def read(frames: Iterator[Frame]) -> Iterator[Seen]:
        while (frame := _next(frames)) is not None:
            yield frame, None, None

    def look(frames: Iterator[Frame]) -> Iterator[Seen]:
        while (frame := _next(frames)) is not None:
            detections = pipeline.detect(frame)
            yield frame, detections, estimators.submit(pipeline.estimate, frame, detections)

    def follow(seen: Iterator[Seen]) -> Iterator[tuple[Frame, Tracks]]:
        for frame, detections, poses in seen:
            yield frame, pipeline(frame, detections, poses.result() if poses else None)

    def _next(frames: Iterator[Frame]) -> Frame | None:
        with pipeline.timings.stage("read"):
            return next(frames, None)

    waiting = 1 if frames.live else WAITING  # what waits grows old
    ahead = look if threads and not pipeline.schedule.skips else read  # where tracks tell what is looked at, it waits
    with (
        ThreadPoolExecutor(pipeline.streams, "posetrack-pose") as estimators,
        side_by_side(frames, ahead, follow, limit=waiting, threads=threads) as people,
    ):
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
        finally:
            if frames.live:
                frames.close()  # or the first stage would wait for another frame
