"""What a run says of itself: the networks at its start, the sidecar at its end."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from ..config import RunConfig
from ..output.sidecar import Counts, NetworkFacts, RunFacts
from ..perception.schedule import FrameMode
from ..timings import LATENCY

if TYPE_CHECKING:
    from ..perception.protocols import Detector, PoseEstimator
    from ..perception.runtimes import Runtime
    from ..pipeline import Pipeline
    from ..video.source import Source


def counts(frames: Source) -> Counts:
    """Tell what became of the frames."""
    return Counts(frames.frames_read, frames.frames_dropped, frames.frames_failed, frames.last_index)


def announce(pipeline: Pipeline) -> None:
    """Print what computes the networks, and why, and which frames they are spared."""
    for what, part in (("detector", pipeline.detector), ("pose network", pipeline.estimator)):
        if part.network:
            sys.stderr.write(f"{what} {part.name}: {_describe(part.network)}\n")
    if pipeline.schedule.skips:
        sys.stderr.write(f"schedule: {pipeline.schedule.description}\n")


def _describe(network: Runtime) -> str:
    return f"{network.name} {network.precision} on {network.device} ({network.reason})"


def _network_facts(part: Detector | PoseEstimator) -> NetworkFacts:
    return NetworkFacts(part.name, part.sha256, _describe(part.network) if part.network else None)


def run_facts(config: RunConfig, frames: Source, pipeline: Pipeline, *, complete: bool, refined: bool) -> RunFacts:
    """Tell a run as its sidecar does."""
    estimator, detector, timings = pipeline.estimator, pipeline.detector, pipeline.timings
    latency = None
    if LATENCY in timings.stages:
        latency = {name: round(timings.percentile(LATENCY, n), 1) for name, n in (("median", 50), ("p95", 95))}
    return RunFacts(
        skeleton=estimator.skeleton,
        source=frames.name,
        size=frames.size,
        fps=frames.fps,
        model=_network_facts(estimator),
        detector=_network_facts(detector),
        device=estimator.network.device,
        config=dataclasses.asdict(dataclasses.replace(config, source=frames.name)),
        counts=counts(frames),
        complete=complete,
        fps_guessed=frames.fps_guessed,
        refined=refined,
        size_changes=[
            {"frame": change.frame, "time_s": round(change.time, 6), "width": change.width, "height": change.height}
            for change in frames.size_changes
        ],
        gaps=[
            {"from_s": round(gap.start, 6), "to_s": round(gap.end, 6), "seconds": round(gap.end - gap.start, 6)}
            for gap in frames.gaps
        ],
        latency_ms=latency,
        looks={str(look): pipeline.looks[look] for look in FrameMode},
    )
