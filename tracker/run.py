"""Run the tracker by a plan: load the networks once, then track each source and write its results."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ..errors import OutputError, PosetrackError, UsageError
from ..models.cache import cache_folder
from . import facts
from .config import Networks, RunConfig
from .formats.converting import working_table
from .loop import loop
from .output.people import PeopleCount
from .output.sidecar import document, write_sidecar
from .output.summary import BatchTable, Outcome, progress, summary_table
from .output.two_pass import TwoPassSinks
from .outputs import open_outputs, second_pass, selection, written
from .partial import Transaction
from .perception.pace import Pace
from .pipeline import Pipeline, assemble
from .plan import Job, Plan
from .stages import parallel, streams
from .video.address import redact
from .video.source import Source, open_source

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    Progress = AbstractContextManager[Callable[[int], None]]  # gives a function to call after each frame


def track(
    plan: Plan, *, console: Console, progress: Callable[..., Progress] = progress
) -> Iterator[PosetrackError | str]:
    """Track the sources of a plan, one after the other.

    Args:
        plan: of the run.
        console: where progress and summary are printed, unless the plan is quiet.
        progress: shows the frames of each pass; takes what `output.summary.progress` takes.

    Yields:
        The error of a source that failed in a batch, whose other sources continue; or a warning.

    Raises:
        PosetrackError: the networks cannot be loaded, or a single source failed.
    """
    if not plan.jobs:
        return
    pipeline = _load(plan.config, live=plan.live)
    table = None
    if plan.many and not plan.config.outputs.quiet:
        table = BatchTable(console, [redact(str(job.source)) for job in plan.jobs])
    for job in plan.jobs:
        try:
            warning = _track_one(job, plan.config, pipeline.session(), console, table, progress)
        except PosetrackError as error:
            if not plan.many:
                raise
            yield error
        else:
            if warning:
                yield warning
    if table:
        table.total(plan.total)
    if not plan.config.outputs.quiet:
        _suggest(plan.config.networks, console)


def _suggest(networks: Networks, console: Console) -> None:
    """Name better networks after the first run with the bundled ones on this machine."""
    marker = cache_folder() / "suggested"
    if networks.model != "bundled" or networks.detector != "bundled" or marker.exists():
        return
    with suppress(OSError):  # a cache that cannot be written: no suggestion in every run
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        text = "More accurate, slower: posetrack models download recommended, then --model auto --detector auto"
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _load(config: RunConfig, *, live: bool) -> Pipeline:
    tracking = dataclasses.replace(config.tracking, smooth="none") if config.tracking.refine else config.tracking
    pipeline = assemble(config.networks, tracking, streams=streams(live=live), live=live)
    if config.outputs.blur_faces and pipeline.schedule.detect_every != 1:  # a single-stage network, at pose_every
        raise UsageError(
            f"pose_every is {config.tracking.pose_every}, and {config.networks.model} finds new people, whose faces "
            "blur_faces hides, only in those frames; give 1."
        )
    return pipeline


def _track_one(
    job: Job,
    config: RunConfig,
    pipeline: Pipeline,
    console: Console,
    table: BatchTable | None,
    progress: Callable[..., Progress],
) -> str:
    """Track one source, print its summary or its row of a batch, and return a warning, or an empty text."""
    outputs, refine = config.outputs, config.tracking.refine
    reading = {each.name: getattr(config.source, each.name) for each in dataclasses.fields(config.source)}
    opened = partial(open_source, **(reading | {"source": job.source}))
    with opened() as frames:
        if frames.live and (option := second_pass(outputs, refine=refine)):
            raise UsageError(f"'{frames.name}' is live and cannot be read a second time. Leave {option} out.")
        if not outputs.quiet and not (table and table.rows):
            for line in facts.announcement(pipeline):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        bar = partial(progress, total=frames.frame_count, quiet=outputs.quiet, console=console)
        select = selection(outputs)
        options = config.flat() | {"source": frames.name, "overwrite": job.overwrite, "skip_existing": False}
        run_facts = partial(facts.run_facts, options, frames, pipeline)
        csv = job.targets.get("csv")
        people, start = PeopleCount(), time.perf_counter()
        with Transaction() as results:
            report, sinks = open_outputs(
                job, outputs, frames, pipeline, select=select, refine=refine, people=people, results=results
            )
            try:
                with sinks:
                    if csv:  # beside the partial table, in case that this run is killed
                        write_sidecar(working_table(csv), run_facts(complete=False, refined=False))
                    with bar(label=frames.name) as step:
                        threads, pace = parallel(pipeline.estimator.network), _pace(frames, pipeline, config)
                        loop(frames, pipeline, sinks, step, threads=threads, pace=pace)
                    if isinstance(sinks, TwoPassSinks):
                        with opened() as again, bar(label="Second pass") as step:
                            sinks.second_pass(again, step)
            except BaseException:
                found = run_facts(complete=False, refined=isinstance(sinks, TwoPassSinks) and refine and sinks.done)
                with suppress(OutputError):  # the first error is the one to report
                    if csv:
                        write_sidecar(working_table(csv), found)
                    if report:
                        report.save(document(found), complete=False)
                raise
            found = run_facts(complete=True, refined=refine)
            if csv:
                write_sidecar(csv, found, results=results)
            if report:
                report.save(document(found))
    outcome = Outcome(found.counts, len(people), time.perf_counter() - start, tuple(written(job.targets)))
    if table:
        table.add(frames.name, outcome)
    elif not outputs.quiet:
        console.print(
            summary_table(
                pipeline.timings,
                outcome,
                device=pipeline.estimator.network.device,
                modes=found.modes if pipeline.schedule.skips else {},
                gaps=[gap.end - gap.start for gap in frames.gaps],
            ),
            crop=False,
        )
    return select.unmet


def _pace(frames: Source, pipeline: Pipeline, config: RunConfig) -> Pace | None:
    """Return what adapts the schedule to the frame rate; None for files and fixed schedules."""
    if not (frames.live and pipeline.schedule.adapts):
        return None
    return Pace(pipeline.schedule, fps=config.tracking.target_fps or frames.fps or 30.0)
