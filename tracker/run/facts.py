"""Facts of a run: the networks for the terminal, and everything that the sidecar states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..output.sidecar import Counts, NetworkFacts, RunFacts
from ..perception.schedule import FrameMode
from ..timings import LATENCY

if TYPE_CHECKING:
    from ..perception.protocols import Detector, PoseEstimator, SingleStageEstimator
    from ..perception.runtimes import Runtime
    from ..pipeline import Pipeline
    from ..video.source import Source


def announcement(pipeline: Pipeline) -> Iterator[str]:
    """Yield a line on the inference backend of each network, and one on the frames that skip them."""
    for what, part in (("detector", pipeline.detector), ("pose network", pipeline.estimator)):
        if part and part.network:
            yield f"{what} {part.name}: {_describe(part.network)}"
    if pipeline.schedule.skips:
        yield f"schedule: {pipeline.schedule.description}"


def _describe(network: Runtime) -> str:
    return f"{network.name} {network.precision} on {network.device} ({network.reason})"


def _network_facts(part: Detector | PoseEstimator | SingleStageEstimator) -> NetworkFacts:
    return NetworkFacts(part.name, part.sha256, _describe(part.network) if part.network else None)


def run_facts(
    options: Mapping[str, Any], frames: Source, pipeline: Pipeline, *, complete: bool, refined: bool
) -> RunFacts:
    """Return the facts of a run for its sidecar.

    Args:
        options: of the run, by name.
        frames: source, as far as it was read.
        pipeline: of this source.
        complete: whether the source was read to its end.
        refined: whether the results are those of the second pass.
    """
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
        detector=_network_facts(detector) if detector else None,
        device=estimator.network.device,
        config=options,
        counts=Counts(frames.frames_read, frames.frames_dropped, frames.frames_failed, frames.last_index),
        analysed=datetime.now(UTC),
        complete=complete,
        fps_guessed=frames.fps_guessed,
        refined=refined,
        keypoint_states=bool(options.get("keypoint_states")),
        size_changes=[
            {"frame": change.frame, "time_s": round(change.time, 6), "width": change.width, "height": change.height}
            for change in frames.size_changes
        ],
        gaps=[
            {"from_s": round(gap.start, 6), "to_s": round(gap.end, 6), "seconds": round(gap.end - gap.start, 6)}
            for gap in frames.gaps
        ],
        started=frames.started,
        latency_ms=latency,
        modes={str(mode): pipeline.modes[mode] for mode in FrameMode},
    )
