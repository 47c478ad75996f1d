"""Track one source and write its results."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...errors import OutputError, UsageError
from ..config import RunConfig
from ..formats.converting import working_table
from ..load import assemble
from ..loop import loop
from ..output.people import PeopleCount
from ..output.sidecar import RunFacts, document, write_sidecar
from ..output.summary import Outcome
from ..output.two_pass import TwoPassSinks
from ..partial import Transaction
from ..perception.pace import Pace
from ..pipeline import Observed, Pipeline
from ..stages import parallel, streams
from ..video.source import Source, open_source
from . import facts
from .outputs import open_outputs, second_pass, selection, written
from .plan import Job

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..types import Frame

    Progress = AbstractContextManager[Callable[[int], None]]  # gives a function to call after each frame
    Observe = Callable[[Source], AbstractContextManager[Callable[[Frame], Observed] | None]]


@dataclass(frozen=True, slots=True)
class Tracked:
    """What became of a source: its outcome, facts, and a warning, empty if there is none."""

    outcome: Outcome
    facts: RunFacts
    warning: str


def load(config: RunConfig, *, live: bool) -> Pipeline:
    """Load the networks of a run; each source takes a `session` of the pipeline.

    Raises:
        PosetrackError: they cannot be loaded, or the options contradict each other.
    """
    tracking = dataclasses.replace(config.tracking, smooth="none") if config.tracking.refine else config.tracking
    pipeline = assemble(config.networks, tracking, streams=streams(live=live), live=live)
    if config.outputs.blur_faces and pipeline.schedule.detect_every != 1:  # a single-stage network, at pose_every
        raise UsageError(
            f"pose_every is {config.tracking.pose_every}, and {config.networks.model} finds new people, whose faces "
            "blur_faces hides, only in those frames; give 1."
        )
    return pipeline


def track_one(
    job: Job,
    config: RunConfig,
    pipeline: Pipeline,
    *,
    progress: Callable[..., Progress],
    observe: Observe = lambda frames: nullcontext(),
) -> Tracked:
    """Track one source and write its results.

    Args:
        job: source and results.
        config: options of the run.
        pipeline: of this source alone.
        progress: shows the frames of each pass; takes `total` and `label` of `output.summary.progress`.
        observe: takes the opened source and gives what other processes observe of it, or None.

    Raises:
        PosetrackError: the source cannot be read, or a result cannot be written.
    """
    outputs, refine = config.outputs, config.tracking.refine
    reading = {each.name: getattr(config.source, each.name) for each in dataclasses.fields(config.source)}
    opened = partial(open_source, **(reading | {"source": job.source}))
    with opened() as frames:
        if frames.live and (option := second_pass(outputs, refine=refine)):
            raise UsageError(f"'{frames.name}' is live and cannot be read a second time. Leave {option} out.")
        bar = partial(progress, total=frames.frame_count)
        select = selection(outputs)
        options = config.stated() | {"source": frames.name, "overwrite": job.overwrite}
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
                        with observe(frames) as observed:
                            loop(frames, pipeline, sinks, step, threads=threads, pace=pace, observed=observed)
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
    return Tracked(outcome, found, select.unmet)


def _pace(frames: Source, pipeline: Pipeline, config: RunConfig) -> Pace | None:
    """Return what adapts the schedule to the frame rate; None for files and fixed schedules."""
    if not (frames.live and pipeline.schedule.adapts):
        return None
    return Pace(pipeline.schedule, fps=config.tracking.target_fps or frames.fps or 30.0)
