"""Give tasks to free workers, and repeat the tasks of workers that die."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...errors import PosetrackError
from .worker import Died, Finished, Frames, Message, Ready, Task

ATTEMPTS = 3  # a file that ends every worker is not retried forever


class WorkerPool(Protocol):
    """Processes that each run one task at a time."""

    def start(self) -> int:
        """Start one more worker, and return its number; it sends `Ready` when it takes tasks."""

    def give(self, worker: int, task: Task) -> None:
        """Give a task to a worker that is ready."""

    def wait(self) -> Iterator[tuple[int, Message]]:
        """Wait a moment for messages, and yield each with the number of its worker.

        Raises:
            PosetrackError: a worker cannot load the networks.
        """

    def close(self) -> None:
        """End all workers."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A task was assigned to a worker, for the nth time."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Lost:
    """No worker survived a task; `why` the last one ended."""

    why: str


def schedule(
    workers: WorkerPool, tasks: Sequence[Task], *, count: int
) -> Iterator[tuple[int, Ready | Frames | Finished | Assigned | Lost]]:
    """Run tasks, in any order of their ends.

    A task whose worker dies is run again after all others, at most `ATTEMPTS` times in all.

    Args:
        workers: none of which is started yet.
        tasks: each a unit that may be repeated.
        count: of workers.

    Yields:
        The number of a task and what happened to it: `Assigned`, `Frames`, and at last `Finished` or `Lost`. `Ready`
        has the number -1.

    Raises:
        PosetrackError: a worker cannot load the networks, or no worker survives loading them.
    """
    waiting = deque(range(len(tasks)))
    attempts: Counter[int] = Counter()
    idle: list[int] = []
    running: dict[int, int] = {}  # task by worker
    early = 0  # deaths in a row before a worker was ready
    for _ in range(min(count, len(tasks))):
        workers.start()
    while waiting or running:
        for worker, message in workers.wait():
            task = running.get(worker, -1)
            if isinstance(message, Died):
                running.pop(worker, None)
                if worker in idle:
                    idle.remove(worker)
                elif task < 0:
                    early += 1
                    if early == ATTEMPTS:
                        raise PosetrackError(
                            f"{early} workers ended before they were ready; the last one {message.why}. Give fewer "
                            "--jobs, or more memory."
                        )
                elif attempts[task] < ATTEMPTS:
                    waiting.append(task)
                else:
                    yield task, Lost(message.why)
                if waiting:
                    workers.start()
                continue
            if isinstance(message, Ready | Finished):
                running.pop(worker, None)
                idle.append(worker)
                early = 0
            yield task, message
        while waiting and idle:
            task = waiting.popleft()
            attempts[task] += 1
            running[worker := idle.pop()] = task
            yield task, Assigned(attempts[task])
            workers.give(worker, tasks[task])
