"""Track the sources of a batch: one after the other in this process, or several at once in workers."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PosetrackError, SourceError
from ...installation import explain
from ..formats.converting import working_table
from ..output.results import is_ours
from ..output.summary import Outcome
from ..partial import partial_path, sidecar_path
from ..run import facts, single
from ..run.job import Job
from ..run.plan import Plan
from ..video.place import Remote
from .schedule import Assigned, Lost, WorkerPool, schedule
from .worker import Finished, Frames, Ready

if TYPE_CHECKING:
    from ..pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file: its outcome, a warning, empty if there is none, and its SHA-256 on request."""

    outcome: Outcome
    warning: str
    sha256: str | None


Event = Ready | Assigned | Frames | Result | PosetrackError


@dataclass(frozen=True, slots=True)
class TrackFile:
    """The task of tracking one file and writing its results."""

    job: Job

    def __call__(self, pipeline: Pipeline, step: Callable[[], object]) -> Result:
        """Track the file.

        Raises:
            PosetrackError: the file cannot be read, or a result cannot be written.
        """
        try:
            tracked = single.track_one(
                self.job, pipeline.session(), progress=lambda **_: nullcontext(lambda people: step())
            )
        except PosetrackError:
            raise
        except Exception as error:  # of one file, which the others need not share
            at = traceback.extract_tb(error.__traceback__)[-1]
            if why := explain(error):
                raise type(why)(f"'{self.job.name}': {why}") from error
            raise SourceError(
                f"'{self.job.name}' failed with {type(error).__name__}: {error} ({Path(at.filename).name}, line "
                f"{at.lineno}). Check the file with a player; if it plays, report this."
            ) from error
        return Result(tracked.outcome, tracked.warning, tracked.sha256)


def in_turn(plan: Plan, step: Callable[[], object]) -> Generator[tuple[int, Event], None, None]:
    """Track the sources of a plan in this process; `step` is called after each frame. Yields as `in_workers`."""
    pipeline = plan.load()
    yield -1, Ready(tuple(facts.announcement(pipeline)))
    for number, job in enumerate(plan.jobs):
        yield number, Assigned(1)
        try:
            yield number, TrackFile(job)(pipeline, step)
        except PosetrackError as error:
            yield number, error


def in_workers(jobs: Sequence[Job], workers: WorkerPool, *, count: int) -> Generator[tuple[int, Event], None, None]:
    """Track files in workers.

    Yields:
        The number of a job, and `Assigned`, `Frames`, a `Result`, or the error that ended it; -1 and `Ready` when the
        networks are loaded.

    Raises:
        PosetrackError: the networks cannot be loaded.
    """
    try:
        for number, message in schedule(workers, [TrackFile(job) for job in jobs], count=count):
            if isinstance(message, Finished):
                yield number, message.result
            elif isinstance(message, Lost):
                yield number, _lost(jobs[number], message)
            else:
                if isinstance(message, Assigned) and message.attempt > 1:
                    _discard(jobs[number])
                yield number, message
    finally:
        workers.close()


def _discard(job: Job) -> None:
    """Remove the results of an attempt whose worker died, also finished ones: it may die before it says so.

    Results that may be replaced stay: they may be those of an earlier run. Otherwise the plan found none. Those in a
    store stay, too: they are whole, and the next attempt puts the same.
    """
    for output, path in job.targets.items():
        if isinstance(path, Remote):
            continue
        working = working_table(path) if output == "csv" else path
        unfinished = [
            part for each in {path, working} for part in (partial_path(each), sidecar_path(each, complete=False))
        ]
        finished = [sidecar_path(path), path] if not job.overwrite and is_ours(output, path) else []
        for left in unfinished + finished:
            with suppress(OSError):  # if it cannot be removed, it is kept under another name, or refused
                left.unlink(missing_ok=True)


def _lost(job: Job, message: Lost) -> SourceError:
    return SourceError(
        f"'{job.name}' ended every process that tracked it; the last one {message.why}. Check the file with a "
        "player, give fewer --jobs, or more memory."
    )
