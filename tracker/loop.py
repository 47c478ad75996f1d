"""The whole application in one loop: read, see, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from .output.sinks import Sinks
from .output.twice import Twice
from .pipeline import Pipeline
from .stages import side_by_side
from .timings import LATENCY
from .types import Detections, Frame, Tracks
from .video.source import Source

WAITING = 2  # items behind each stage of a file: one more than none, so that a slow frame does not stop the others


def loop(
    frames: Source, pipeline: Pipeline, sinks: Sinks | Twice, step: Callable[[int], None], *, threads: bool = True
) -> None:
    """Track every frame and write it.

    Reading and detection, poses and tracks, and everything that is written run side by side; the results do not depend
    on that. What was computed before an error is written before the error is raised. Ctrl-C, or a closed window, ends
    a live source well and leaves a file unfinished.

    Args:
        frames: the source.
        pipeline: from frames to people.
        sinks: where they go; used in this thread, because windows want the main one.
        step: is told the number of people after each frame.
        threads: False does one thing after the other.
    """

    def read(frames: Iterator[Frame]) -> Iterator[tuple[Frame, None]]:
        while (frame := _next(frames)) is not None:
            yield frame, None

    def detect(frames: Iterator[Frame]) -> Iterator[tuple[Frame, Detections]]:
        while (frame := _next(frames)) is not None:
            yield frame, pipeline.detect(frame)

    def follow(detected: Iterator[tuple[Frame, Detections | None]]) -> Iterator[tuple[Frame, Tracks]]:
        for frame, detections in detected:
            yield frame, pipeline(frame, detections)

    def _next(frames: Iterator[Frame]) -> Frame | None:
        with pipeline.timings.stage("read"):
            return next(frames, None)

    waiting = 1 if frames.live else WAITING  # what waits grows old
    ahead = read if pipeline.schedule.skips else detect  # where the tracks tell what is detected, it waits for them
    with side_by_side(frames, ahead, follow, limit=waiting, threads=threads) as people:
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
