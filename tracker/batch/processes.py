"""Workers in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue

from ...errors import PosetrackError
from ..pipeline import Pipeline
from .worker import Died, Message, Task, Worker

_MOMENT = 1.0  # seconds of a wait
_KILL = 9  # the signal, which Windows does not name
_GRACE = 10.0  # seconds that a process takes to end, at most


@dataclass(frozen=True, slots=True)
class _Process:
    process: BaseProcess
    pipe: Connection


class Processes:
    """Worker processes; see `schedule.WorkerPool`.

    A process keeps a damaged file or a full memory away from the others. It ends at once with this process, however
    that ends, so that its files are free for another run.

    Args:
        load: loads the networks of a worker; can be pickled.
        threads: of each process.
    """

    def __init__(self, load: Callable[[], Pipeline], *, threads: int) -> None:
        self._load, self._threads = load, threads
        self._context = multiprocessing.get_context("spawn")  # a fork would copy threads and locks half-way
        self._started = 0
        self._workers: dict[int, _Process] = {}

    def start(self) -> int:
        """Start one more worker, and return its number."""
        ours, theirs = self._context.Pipe()
        arguments = (theirs, self._load, os.getcwd(), self._threads)  # noqa: PTH109 - as given
        process = self._context.Process(target=_main, args=arguments, daemon=True)
        process.start()
        theirs.close()  # so that the end of the process ends the pipe
        self._started += 1
        self._workers[self._started] = _Process(process, ours)
        return self._started

    def give(self, worker: int, task: Task) -> None:
        """Give a task to a worker that is ready; one that has ended meanwhile is reported by `wait`."""
        with suppress(OSError):
            self._workers[worker].pipe.send(task)

    def wait(self) -> Iterator[tuple[int, Message]]:
        """Yield the messages of a moment, each with the number of its worker."""
        numbers = {each.pipe: number for number, each in self._workers.items()}
        for pipe in wait(list(numbers), _MOMENT):
            assert isinstance(pipe, Connection)
            number = numbers[pipe]
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                yield number, Died(self._end(number))
                continue
            if isinstance(message, PosetrackError):
                raise message
            yield number, message

    def _end(self, number: int) -> str:
        """Remove a worker that has ended, and say how."""
        worker = self._workers.pop(number)
        worker.pipe.close()
        worker.process.join(_GRACE)
        code = worker.process.exitcode
        worker.process.close()
        if code == -_KILL:
            return "was killed, as the system does when the memory is full"
        if code is not None and code < 0:
            return f"crashed ({signal.Signals(-code).name})"
        return f"ended with code {code}"

    def close(self) -> None:
        """End all workers at once; their unfinished results keep partial names."""
        for worker in self._workers.values():
            worker.pipe.close()
            worker.process.kill()
        for worker in self._workers.values():
            worker.process.join(_GRACE)
        self._workers.clear()


def _main(pipe: Connection, load: Callable[[], Pipeline], folder: str, threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which ends this process
    tasks: SimpleQueue[Task] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    worker = Worker(load, folder=folder, threads=threads)
    try:
        pipe.send(worker.load())
    except PosetrackError as error:
        pipe.send(error)
        return
    while True:
        for message in worker.run(tasks.get()):
            pipe.send(message)


def _receive(pipe: Connection, tasks: SimpleQueue[Task]) -> None:
    """Take tasks until the pipe closes, however the run ended; then end this process."""
    try:
        while True:
            tasks.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(1)
