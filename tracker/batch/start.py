"""Choose the workers of a run: how many, where, and the threads of each."""

from __future__ import annotations

from ..config import RunConfig
from ..options import AUTO
from ..perception.runtimes.machine import free_memory, threads
from .schedule import Workers

JOB_MEMORY = 500_000_000  # bytes that a worker with the bundled networks takes at most; docs/scale.md


def start(config: RunConfig) -> tuple[Workers, int]:
    """Return the workers of a run, none of which is started yet, and their number.

    Raises:
        UsageError: the Ray cluster does not exist.
        PosetrackError: Ray is not installed.
    """
    jobs = config.workers.jobs
    if config.workers.engine == "ray":
        from .cluster import Actors

        actors = Actors(config)
        return actors, actors.cores if jobs == AUTO else int(jobs)
    from .processes import Processes

    count = how_many(cores=threads(), memory=free_memory()) if jobs == AUTO else int(jobs)
    return Processes(config, threads=max(1, threads() // count)), count


def how_many(*, cores: int, memory: int) -> int:
    """Return how many processes a machine has room for: one per core, each with `JOB_MEMORY` of the bytes of memory."""
    return max(1, min(cores, memory // JOB_MEMORY))
