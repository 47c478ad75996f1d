"""What a worker process does: it loads the networks once, then runs one task after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import PosetrackError

if TYPE_CHECKING:
    from ..pipeline import Pipeline

_PAUSE = 0.5  # seconds between two reports of progress


class Task(Protocol):
    """A part of the work; it can be pickled and may run in any worker, also a second time."""

    def __call__(self, pipeline: Pipeline, step: Callable[[], object], /) -> Any:
        """Run, call `step` after each frame, and return the result, which can be pickled."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has loaded its networks, which `lines` describe."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frames:
    """A task has read `count` more frames."""

    count: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A task has ended, with its result, or the `PosetrackError` that it raised."""

    result: Any


@dataclass(frozen=True, slots=True)
class Died:
    """A worker process has ended before its task; `why` is a clause for the message."""

    why: str


Message = Ready | Frames | Finished | Died


class Worker:
    """Runs tasks in this process.

    Args:
        load: loads the networks.
        folder: working directory of the run, to which paths are relative; None if there are no paths.
        threads: of the networks; set before a library is loaded that reads it.
    """

    def __init__(self, load: Callable[[], Pipeline], *, folder: str | None, threads: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        if folder is not None:
            os.chdir(folder)
        self._load, self._threads = load, threads
        self._pipeline: Pipeline | None = None

    def load(self) -> Ready:
        """Load the networks.

        Raises:
            PosetrackError: they cannot be loaded.
        """
        import cv2

        from ..run import facts

        cv2.setNumThreads(self._threads)
        self._pipeline = self._load()
        return Ready(tuple(facts.announcement(self._pipeline)))

    def run(self, task: Task) -> Iterator[Message]:
        """Run a task, and report its progress."""
        assert self._pipeline, "load the networks first"
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        reported = 0
        with ThreadPoolExecutor(1, "posetrack-task") as thread:
            result = thread.submit(task, self._pipeline, step)
            while not wait([result], _PAUSE).done:
                if count > reported:
                    reported, new = count, count - reported
                    yield Frames(new)
            yield Frames(count - reported)
            try:
                yield Finished(result.result())
            except PosetrackError as error:
                yield Finished(error)
