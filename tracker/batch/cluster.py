"""Workers as actors of Ray, on the machines of a cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

from ...errors import PosetrackError, UsageError
from ...installation import library
from ..perception.runtimes.machine import threads
from ..pipeline import Pipeline
from .worker import Died, Finished, Message, Task, Worker

_MOMENT = 1.0  # seconds of a wait


class Actors:
    """Actors of Ray; see `schedule.WorkerPool`. An actor that its cluster has no room for waits, and starts later.

    Args:
        load: loads the networks of an actor; can be pickled.
        folder: working directory of each actor; None leaves it to Ray.
        address: of the cluster; `local` starts one on this machine.
        gpus: of each actor.

    Raises:
        UsageError: there is no cluster at the address.
        PosetrackError: Ray is not installed.
    """

    def __init__(self, load: Callable[[], Pipeline], *, folder: str | None, address: str, gpus: float) -> None:
        self._load, self._folder = load, folder
        self._ray = ray = library("ray", "--engine ray", extra="ray")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no statistics leave this machine unasked
        local: dict[str, Any] = {"include_dashboard": False, "num_cpus": threads()} if address == "local" else {}
        try:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **local)
        except (ConnectionError, ValueError) as error:
            why = str(error).splitlines()[0]
            raise UsageError(
                f"There is no Ray cluster at '{address}': {why} Start one with ray start --head, or give another "
                "--address."
            ) from error
        self._actor: Any = ray.remote(num_cpus=1, num_gpus=gpus)(Worker)
        self._actors: list[Any] = []
        self._pending: dict[Any, int] = {}  # worker by what it will answer

    @property
    def cores(self) -> int:
        """Processor cores of the cluster at this time."""
        return int(self._ray.cluster_resources().get("CPU", 1))

    def start(self) -> int:
        """Start one more actor, and return its number."""
        actor = self._actor.remote(self._load, folder=self._folder, threads=1)
        self._actors.append(actor)
        self._pending[actor.load.remote()] = len(self._actors) - 1
        return len(self._actors) - 1

    def give(self, worker: int, task: Task) -> None:
        """Give a task to an actor that is ready."""
        messages = self._actors[worker].run.options(num_returns="streaming").remote(task)
        self._pending[messages] = worker

    def wait(self) -> Iterator[tuple[int, Message]]:
        """Yield the messages of a moment, each with the number of its actor."""
        ready, _ = self._ray.wait(list(self._pending), timeout=_MOMENT)
        for pending in ready:
            worker = self._pending[pending]
            try:
                streaming = not isinstance(pending, self._ray.ObjectRef)
                message = self._ray.get(next(pending) if streaming else pending)
            except self._ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, PosetrackError):
                    raise error.cause from None
                raise
            except self._ray.exceptions.RayError as error:
                del self._pending[pending]
                yield worker, Died(f"was lost: {str(error).strip().splitlines()[-1].strip().rstrip('.')}")
                continue
            if not streaming or isinstance(message, Finished):
                del self._pending[pending]
            yield worker, message

    def close(self) -> None:
        """End all actors."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._ray.shutdown()
