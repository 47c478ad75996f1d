"""Choose the workers of a run: how many, where, and the threads of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..config.option import AUTO
from ..config.workers import Workers
from ..perception.runtimes.machine import free_memory, threads
from ..pipeline import Pipeline
from .schedule import WorkerPool

JOB_MEMORY = 500_000_000  # bytes that a worker with the bundled networks takes at most; docs/scale.md


def choose_workers(workers: Workers, load: Callable[[], Pipeline], *, here: bool = True) -> tuple[WorkerPool, int]:
    """Return the workers of a run, none of which is started yet, and their number.

    Args:
        workers: options of the workers.
        load: loads the networks of a worker; can be pickled.
        here: whether the work has files of this machine, or of a folder that all machines share.

    Raises:
        UsageError: the Ray cluster does not exist.
        PosetrackError: Ray is not installed.
    """
    jobs = workers.jobs
    if workers.engine == "ray":
        from .cluster import Actors

        actors = Actors(load, folder=str(Path.cwd()) if here else None, address=workers.address, gpus=workers.gpus)
        return actors, actors.cores if jobs == AUTO else int(jobs)
    from .processes import Processes

    count = process_count(cores=threads(), memory=free_memory()) if jobs == AUTO else int(jobs)
    return Processes(load, threads=max(1, threads() // count)), count


def process_count(*, cores: int, memory: int) -> int:
    """Return how many processes a machine has room for.

    One for every two cores, which its threads keep busy, and each with `JOB_MEMORY` of the bytes of memory.
    """
    return max(1, min(cores // 2, memory // JOB_MEMORY))
