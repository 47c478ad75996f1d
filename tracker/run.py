"""Run the tracker by a plan: load the networks once, then track each source and write its results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ..errors import PosetrackError, UsageError
from . import facts
from .config import RunConfig
from .formats.converting import working_table
from .loop import loop
from .output.sidecar import document, write_sidecar
from .output.summary import progress, summary_table
from .output.two_pass import TwoPassSinks
from .outputs import open_outputs, second_pass, selection, written
from .perception.pace import Pace
from .perception.runtimes.machine import cores
from .pipeline import Pipeline, assemble
from .plan import Job, Plan
from .stages import streams
from .video.source import Source, open_source

if TYPE_CHECKING:
    from rich.console import Console


def track(plan: Plan, *, console: Console) -> Iterator[PosetrackError | str]:
    """Track the sources of a plan, one after the other.

    Args:
        plan: of the run.
        console: where progress and summary are printed, unless the plan is quiet.

    Yields:
        The error of a source that failed in a batch, whose other sources continue; or a warning.

    Raises:
        PosetrackError: the networks cannot be loaded, or a single source failed.
    """
    if not plan.jobs:
        return
    pipeline = _load(plan.config, live=plan.live)
    for job in plan.jobs:
        try:
            warning = _track_one(job, plan.config, pipeline.session(), console)
        except PosetrackError as error:
            if not plan.many:
                raise
            yield error
        else:
            if warning:
                yield warning


def _load(config: RunConfig, *, live: bool) -> Pipeline:
    tracking = dataclasses.replace(config.tracking, smooth="none") if config.tracking.refine else config.tracking
    return assemble(config.networks, tracking, streams=streams(live=live))


def _track_one(job: Job, config: RunConfig, pipeline: Pipeline, console: Console) -> str:
    """Track one source and return a warning, or an empty text."""
    outputs, refine = config.outputs, config.tracking.refine
    words = {each.name: getattr(config.source, each.name) for each in dataclasses.fields(config.source)}
    opened = partial(open_source, **(words | {"source": job.source}))
    with opened() as frames:
        if frames.live and (option := second_pass(outputs, refine=refine)):
            raise UsageError(f"'{frames.name}' is live and cannot be read a second time. Leave {option} out.")
        if not outputs.quiet:
            for line in facts.announcement(pipeline):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        bar = partial(progress, total=frames.frame_count, quiet=outputs.quiet, console=console)
        select = selection(outputs)
        report, sinks = open_outputs(job, outputs, frames, pipeline, select=select, refine=refine)
        complete = False
        try:
            with sinks:
                with bar(label=frames.name) as step:
                    step = _keeping_up(step, frames, pipeline, config.tracking.target_fps)
                    loop(frames, pipeline, sinks, step, threads=_parallel(pipeline))
                if isinstance(sinks, TwoPassSinks):
                    with opened() as again, bar(label="Second pass") as step:
                        sinks.second_pass(again, step)
            complete = True
        finally:
            refined = refine and isinstance(sinks, TwoPassSinks) and sinks.done
            options = config.flat() | {"source": frames.name, "overwrite": job.overwrite, "skip_existing": False}
            found = facts.run_facts(options, frames, pipeline, complete=complete, refined=refined)
            if csv := job.targets.get("csv"):
                write_sidecar(csv if complete else working_table(csv), found)
            if report:
                report.save(document(found), complete=complete)
    if not outputs.quiet:
        console.print(
            summary_table(
                pipeline.timings,
                device=pipeline.estimator.network.device,
                files=written(job.targets),
                counts=found.counts,
                modes=found.modes if pipeline.schedule.skips else {},
                gaps=[gap.end - gap.start for gap in frames.gaps],
            )
        )
    return select.unmet


def _keeping_up(step: Callable[[int], None], frames: Source, pipeline: Pipeline, fps: float) -> Callable[[int], None]:
    """Return `step`; for a live source with an adaptive schedule, it also adapts the schedule to the frame rate."""
    if not (frames.live and pipeline.schedule.adapts):
        return step
    pace = Pace(pipeline.schedule, fps=fps or frames.fps or 30.0)

    def both(people: int) -> None:
        step(people)
        pace(frames.frames_dropped)

    return both


def _parallel(pipeline: Pipeline) -> bool:
    """Return whether threads make the run faster."""
    # torch on a CPU uses all cores itself, and its many small operations hold the interpreter lock: two networks at
    # once ran at 0.7 times the speed on two cores, where OpenVINO, with one long call, ran at 1.4 times the speed
    network = pipeline.estimator.network
    return cores() > 1 and not (network.name == "torch" and network.device.startswith("cpu"))
