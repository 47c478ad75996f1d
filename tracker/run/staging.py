"""Track a source in a store, or write results that go there, by files of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ...errors import PosetrackError, SourceError
from ..output.manifest import FIRST
from ..remote.scratch import scratch
from ..remote.store import fetch, put
from ..video.place import Remote
from ..video.write.mark import is_marked
from .job import Job


@contextmanager
def fetched(source: Path | Remote) -> Iterator[Path]:
    """Give a file of this machine: the source, or a copy of one in a store, which is removed at the end.

    Raises:
        SourceError: the source is not there.
        OutputError: the disk is full.
        PosetrackError: the store does not answer or refuses.
    """
    if not isinstance(source, Remote):
        yield source
        return
    with scratch() as folder:
        yield fetch(source, folder)


@contextmanager
def staged(job: Job) -> Iterator[Job]:
    """Give the same job with files of this machine only, and put its results where they belong.

    A source in a store is fetched into a private folder, and results for a store are written there. They are put as
    whole files when all are complete, the table last, so a table in a store says that its source is done. The folder is
    removed in any case. A job without a store is given as it is.

    Raises:
        SourceError: the source is not there, or is a result of posetrack.
        OutputError: a result cannot be put, or the disk is full.
        PosetrackError: the store does not answer or refuses, or what the block raised.
    """
    far = {output: target for output, target in job.targets.items() if isinstance(target, Remote)}
    if not far and not isinstance(job.source, Remote):
        yield job
        return
    with scratch() as folder:
        source = job.source
        if isinstance(source, Remote):
            source = fetch(source, folder)
            if is_marked(source):
                raise SourceError(f"'{job.source}' is a result of posetrack. Fetch it yourself to track it again.")
        near = {output: folder / output / target.name for output, target in far.items()}
        try:
            yield replace(job, source=source, targets={**job.targets, **near})
        except PosetrackError as error:
            text = str(error).replace(str(source), job.name)
            for output, target in far.items():
                text = text.replace(str(near[output].parent), str(target.parent))
            raise type(error)(text) from error
        for output in sorted(far, key=lambda output: FIRST.index(output) if output in FIRST else len(FIRST))[::-1]:
            below = near[output].parent
            results = sorted(path for path in below.rglob("*") if path.is_file())
            for path in sorted(results, key=lambda path: path == near[output]):
                put(path, far[output].parent / path.relative_to(below))


def destinations(files: tuple[Path | Remote, ...], job: Job, local: Job) -> tuple[Path | Remote, ...]:
    """Return where the results of a job belong that `staged` gave as `local`."""
    moved = {local.targets[output].parent: target.parent for output, target in job.targets.items()}
    return tuple(moved[file.parent] / file.name if file.parent in moved else file for file in files)
