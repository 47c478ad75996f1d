"""Run a plan: a single source, or a batch with its manifest and its display."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PosetrackError
from ..output.manifest import Entry, stamp
from ..output.summary import BatchProgress, BatchTable, progress, summary_table
from ..run import facts, single
from ..run.job import Job
from ..run.plan import Plan
from ..run.record import recording
from ..video.place import Remote
from .choice import choose_workers
from .entries import begun, done, failed
from .files import Result, in_turn, in_workers
from .schedule import Assigned
from .segments import observing, segments_of
from .worker import Frames, Ready

if TYPE_CHECKING:
    from rich.console import Console

    from ..pipeline import Observed
    from ..types import Frame
    from ..video.source import Source

log = logging.getLogger("posetrack")


def track(
    plan: Plan, *, console: Console, progress: Callable[..., single.Progress] = progress
) -> Iterator[PosetrackError | str]:
    """Track the sources of a plan.

    Args:
        plan: of the run.
        console: where progress and summary are printed, unless the plan is quiet.
        progress: shows the frames of each pass of a single source; takes what `output.summary.progress` takes.

    Yields:
        The error of a source that failed in a batch, whose other sources continue; or a warning.

    Raises:
        PosetrackError: the networks cannot be loaded, a single source failed, or the manifest cannot be written.
    """
    if not plan.jobs:
        return
    if plan.many:
        yield from _batch(plan, console)
    else:
        yield from _single(plan, console, progress)


def _single(plan: Plan, console: Console, progress: Callable[..., single.Progress]) -> Iterator[str]:
    """Track a single source, and yield its warning."""
    (job,), quiet = plan.jobs, plan.quiet
    pipeline = plan.load().session()

    def observe(frames: Source) -> AbstractContextManager[Callable[[Frame], Observed] | None]:
        if not quiet:  # the source and the results can be opened
            _announce(facts.announcement(pipeline), console)
        segments = segments_of(frames, job.reading) if plan.workers.parallel else []
        if len(segments) > 1:
            assert frames.path, "a video file"
            source: Path | Remote = frames.path
            if isinstance(job.source, Remote) and plan.workers.engine != "local":
                source = job.source  # of which other machines make copies of their own
            workers, count = choose_workers(plan.workers, plan.load, here=isinstance(source, Path))
            if count > 1 or plan.workers.engine != "local":  # one process of this machine would only decode twice
                return observing(frames, source, job.reading, segments, workers, count=min(count, len(segments)))
        if plan.workers.parallel:
            log.info(
                "'%s' is tracked in one process: it is not a long video file, or there is room for one only.",
                frames.name,
            )
        return nullcontext()

    tracked = single.track_one(job, pipeline, progress=partial(progress, quiet=quiet, console=console), observe=observe)
    if not quiet:
        summary = summary_table(
            pipeline.timings,
            tracked.outcome,
            device=pipeline.estimator.network.device,
            modes=tracked.facts.modes if pipeline.schedule.skips else {},
            gaps=[gap["seconds"] for gap in tracked.facts.gaps],
        )
        console.print(summary, crop=False)
    if tracked.warning:
        yield tracked.warning


def _batch(plan: Plan, console: Console) -> Iterator[PosetrackError | str]:
    """Track a batch, and yield errors and warnings."""
    quiet = plan.quiet
    table = None if quiet else BatchTable(console, [job.name for job in plan.jobs])
    entries: dict[int, Entry] = {}
    announced, start = quiet, time.perf_counter()
    with (
        recording(plan.manifest) as record,
        BatchProgress([_size(job) for job in plan.jobs], quiet=quiet, console=console) as display,
    ):
        if plan.workers.parallel:
            workers, count = choose_workers(plan.workers, plan.load, here=any(job.here for job in plan.jobs))
            events = in_workers(plan.jobs, workers, count=count)
        else:
            events = in_turn(plan, display.frames)
        with closing(events):
            for number, event in events:
                if isinstance(event, Ready):
                    if not announced:
                        _announce(event.lines, console)
                    announced = True
                elif isinstance(event, Assigned):
                    entries[number] = begun(plan.jobs[number], manifest=plan.manifest, attempt=event.attempt)
                    record(entries[number])
                elif isinstance(event, Frames):
                    display.frames(event.count)
                elif isinstance(event, Result):
                    record(done(entries[number], event))
                    display.done(number)
                    if table:
                        table.add(plan.jobs[number].name, event.outcome)
                    if event.warning:
                        yield event.warning
                else:
                    record(failed(entries[number], event))
                    display.done(number, failed=True)
                    yield event
    if table:
        table.total(plan.total, seconds=time.perf_counter() - start)


def _size(job: Job) -> int:
    return stamp(job.source).size or 0


def _announce(lines: Iterable[str], console: Console) -> None:
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
