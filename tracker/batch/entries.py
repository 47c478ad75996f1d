"""The entries of a source in the manifest of a batch: begun, done, failed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from ...errors import PosetrackError, SourceError
from ..output.manifest import Entry, SourceState, name, stamp
from ..run.job import Job
from ..video.place import Remote
from .files import Result


def begun(job: Job, *, manifest: Path | Remote | None, attempt: int) -> Entry:
    """Return the entry of a source that is about to be tracked.

    Args:
        job: of the source.
        manifest: folder of the manifest; None if there is none.
        attempt: how often the source has been started in this run.
    """
    size, mtime, etag = stamp(job.source)
    return Entry(
        result=name(manifest, job.targets) if manifest else "",
        input=job.name,
        size=size,
        mtime=mtime,
        etag=etag,
        state=SourceState.RUNNING,
        at=round(time.time(), 3),
        attempt=attempt,
        outputs={output: str(path) for output, path in job.targets.items()},
    )


def done(entry: Entry, result: Result) -> Entry:
    """Return the entry of a source that was tracked."""
    outcome = result.outcome
    return replace(
        entry,
        state=SourceState.DONE,
        at=round(time.time(), 3),
        sha256=result.sha256,
        frames=outcome.counts.read,
        people=outcome.people,
        seconds=round(outcome.seconds, 3),
    )


def failed(entry: Entry, error: PosetrackError) -> Entry:
    """Return the entry of a failed source: by its own fault, or of a full disk and the like, which can be repaired."""
    state = SourceState.FAILED if isinstance(error, SourceError) else SourceState.STOPPED
    return replace(entry, state=state, at=round(time.time(), 3), error=str(error))
