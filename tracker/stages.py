"""Run the steps of a chain in parallel, each in its own thread, a few items ahead of the next step."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .perception.runtimes.machine import cores

if TYPE_CHECKING:
    from .perception.runtimes import Runtime

WAKE = 0.5  # seconds; Ctrl-C on Windows does not interrupt a wait without a timeout


class Stage:
    """Iterator that computes its items in a thread ahead of the consumer, in order.

    The thread starts an item only while fewer than `limit` are queued, so a slow consumer slows it down. An exception
    in the thread is raised to the consumer after the items before it, with its original traceback.

    Args:
        items: source iterator; used and closed by the thread only.
        limit: maximum number of queued items, including the one in progress.
        name: name of the thread.
    """

    def __init__(self, items: Iterator[Any], *, limit: int, name: str = "posetrack-stage") -> None:
        self._items, self._limit = items, limit
        self._ready: deque[Any] = deque()
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._ended = self._stop = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            while self._has_room():
                item = next(self._items)
                with self._changed:
                    self._ready.append(item)
                    self._changed.notify_all()
        except StopIteration:
            pass
        except BaseException as caught:  # raised in the consumer's thread
            error = caught
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        """Wait until another item is needed; return False after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._stop or len(self._ready) < self._limit)
            return not self._stop

    def __iter__(self) -> Stage:
        return self

    def __next__(self) -> Any:
        with self._changed:
            while not self._changed.wait_for(lambda: self._ready or self._ended or self._stop, WAKE):
                pass
            if self._ready and not self._stop:
                item = self._ready.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is not None and not self._stop:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stop after the item in progress; a waiting consumer gets the end. May be called twice."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join()


@contextmanager
def side_by_side(
    items: Iterator[Any], *steps: Callable[[Iterator[Any]], Iterator[Any]], limit: int = 2, threads: bool = True
) -> Iterator[Iterator[Any]]:
    """Chain generators, each in its own thread, and yield the iterator of the last one.

    Args:
        items: input of the first step.
        steps: generator functions; each takes the iterator of the step before it.
        limit: maximum number of items queued behind each step.
        threads: False chains the generators in the calling thread; the results are the same.
    """
    stages: list[Stage] = []
    try:
        for step in steps:
            items = step(items)
            if threads:
                items = Stage(items, limit=limit, name=f"posetrack-{step.__name__}")
                stages.append(items)
        yield items
    finally:
        for stage in stages:  # first to last, so that no step waits for a closed one
            stage.close()


def streams(*, live: bool) -> int:
    """Return how many frames to process at once: one of a live source, up to two of a file.

    Two cores that process one frame each wait for each other less than two cores that share every step of one frame.
    """
    return 1 if live else min(2, cores())


def parallel(network: Runtime | None) -> bool:
    """Return whether threads make a run with this pose network faster; None is a function in its place."""
    # torch on a CPU uses all cores itself, and its many small operations hold the interpreter lock: two networks at
    # once ran at 0.7 times the speed on two cores, where OpenVINO, with one long call, ran at 1.4 times the speed
    return cores() > 1 and not (network and network.name == "torch" and network.device.startswith("cpu"))
