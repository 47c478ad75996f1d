"""Track one source and write its results."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import OutputError, UsageError
from ...models.cache import sha256
from ..formats.converting import working_table
from ..loop import loop
from ..output.people import PeopleCount
from ..output.sidecar import RunFacts, document, write_sidecar
from ..output.summary import Outcome
from ..output.two_pass import TwoPassSinks
from ..partial import Transaction, partial_path
from ..perception.pace import Pace
from ..perception.schedule import Schedule
from ..pipeline import Observed, Pipeline
from ..stages import parallel
from ..video.open import open_source
from ..video.source import Source
from . import facts
from .job import Job
from .outputs import open_outputs, result_files
from .staging import destinations, staged

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..report.writer import Report
    from ..types import Frame

    Progress = AbstractContextManager[Callable[[int], None]]  # gives a function to call after each frame
    Observe = Callable[[Source], AbstractContextManager[Callable[[Frame], Observed] | None]]

log = logging.getLogger("posetrack")


@dataclass(frozen=True, slots=True)
class Tracked:
    """What became of a source: its outcome, facts, a warning, empty if there is none, and its SHA-256 on request."""

    outcome: Outcome
    facts: RunFacts
    warning: str
    sha256: str | None


def track_one(
    job: Job,
    pipeline: Pipeline,
    *,
    progress: Callable[..., Progress],
    observe: Observe = lambda frames: nullcontext(),
) -> Tracked:
    """Track one source and write its results.

    Args:
        job: source, options and results.
        pipeline: of this source alone.
        progress: shows the frames of each pass; takes `total` and `label` of `output.summary.progress`.
        observe: takes the opened source and gives what other processes observe of it, or None.

    Raises:
        PosetrackError: the source cannot be read, or a result cannot be written.
    """
    with staged(job) as local:
        tracked = _track(local, pipeline, progress=progress, observe=observe)
    files = destinations(tracked.outcome.files, job, local)
    return dataclasses.replace(tracked, outcome=dataclasses.replace(tracked.outcome, files=files))


def _track(job: Job, pipeline: Pipeline, *, progress: Callable[..., Progress], observe: Observe) -> Tracked:
    """Track a source and write its results to files of this machine; see `track_one`."""
    checksum = sha256(job.source) if job.outputs.checksums and isinstance(job.source, Path) else None
    opened = partial(open_source, **(dataclasses.asdict(job.reading) | {"source": job.source, "name": job.name}))
    csv, select, people = job.files.get("csv"), job.selection(), PeopleCount()
    with opened() as frames, Transaction() as results:
        if frames.live and (option := job.second_pass):
            raise UsageError(f"'{frames.name}' is live and cannot be read a second time. Leave {option} out.")
        start, bar = time.perf_counter(), partial(progress, total=frames.frame_count)
        options = {**job.stated, "source": frames.name, "overwrite": job.overwrite}
        run_facts = partial(facts.run_facts, options, frames, pipeline)
        report, sinks = open_outputs(job, frames, pipeline, select=select, people=people, results=results)
        try:
            with sinks:
                if csv:  # beside the partial table, in case that this run is killed
                    write_sidecar(working_table(csv), run_facts(complete=False, refined=False))
                with bar(label=frames.name) as step, observe(frames) as observed:
                    threads, pace = parallel(pipeline.estimator.network), _pace(frames, pipeline.schedule)
                    loop(frames, pipeline, sinks, step, threads=threads, pace=pace, observed=observed)
                if isinstance(sinks, TwoPassSinks):
                    with opened() as again, bar(label="Second pass") as step:
                        sinks.second_pass(again, step)
        except BaseException:
            refined = isinstance(sinks, TwoPassSinks) and job.refine and sinks.done
            with suppress(OutputError):  # the first error is the one to report
                _describe(csv, report, run_facts(complete=False, refined=refined))
            _name_unfinished(job)
            raise
        found = run_facts(complete=True, refined=job.refine)
        _describe(csv, report, found, results=results)
    outcome = Outcome(found.counts, len(people), time.perf_counter() - start, tuple(result_files(job.files)))
    return Tracked(outcome, found, select.unmet, checksum)


def _describe(csv: Path | None, report: Report | None, found: RunFacts, *, results: Transaction | None = None) -> None:
    """Write the sidecar of the table and the page of the report, of an incomplete run beside the partial table."""
    if csv:
        write_sidecar(csv if found.complete else working_table(csv), found, results=results)
    if report:
        report.save(document(found), complete=found.complete)


def _name_unfinished(job: Job) -> None:
    """Say under which names the results of a run that fails remain."""
    paths = [working_table(path) if output == "csv" else path for output, path in job.files.items()]
    if kept := [f"'{path}'" for path in map(partial_path, paths) if path.exists()]:
        log.warning("The unfinished results of '%s' are in %s.", job.name, ", ".join(kept))


def _pace(frames: Source, schedule: Schedule) -> Pace | None:
    """Return what adapts the schedule to the frame rate; None for files and fixed schedules."""
    if not (frames.live and schedule.adapts):
        return None
    return Pace(schedule, fps=schedule.target_fps or frames.fps or 30.0)
