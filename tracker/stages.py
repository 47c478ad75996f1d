"""Run the steps of a chain in parallel, each in its own thread, a few items ahead of the next step."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from .perception.runtimes.machine import cores

if TYPE_CHECKING:
    from .perception.runtimes import Runtime

MOST = 2**28  # bytes queued behind a stage; ten 4K images, or one of the largest
WAKE = 0.5  # seconds; Ctrl-C on Windows does not interrupt a wait without a timeout


class Stage:
    """Iterator that computes its items in a thread ahead of the consumer, in order.

    The thread starts an item only while fewer than `limit` and less than `MOST` bytes are queued, so a slow consumer
    slows it down, and the size of the items bounds how much memory they take. An exception in the thread is raised to
    the consumer after the items before it, with its original traceback.

    The consumer is often the main thread, where Ctrl-C may come between any two steps of Python: in the middle of a
    `threading.Condition` it left the lock taken, and the thread waited for ever. A `SimpleQueue` has no such steps.

    Args:
        items: source iterator; used and closed by the thread only.
        limit: maximum number of queued items, including the one in progress.
        size: gives the bytes of an item.
        name: name of the thread.
    """

    def __init__(
        self,
        items: Iterator[Any],
        *,
        limit: int,
        size: Callable[[Any], int] = lambda item: 0,
        name: str = "posetrack-stage",
    ) -> None:
        self._items, self._limit, self._size = items, limit, size
        self._ready: SimpleQueue[tuple[bool, Any]] = SimpleQueue()  # (True, item); at the end (False, error or None)
        self._taken: SimpleQueue[None] = SimpleQueue()  # one for each item taken, and for `close`
        self._queued: deque[int] = deque()  # bytes of the items in `_ready`, for the thread
        self._stop = self._ended = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            while self._has_room():
                item = next(self._items)
                self._queued.append(self._size(item))
                self._ready.put((True, item))
        except StopIteration:
            pass
        except BaseException as caught:  # raised in the consumer's thread
            error = caught
        self._ready.put((False, error))

    def _has_room(self) -> bool:
        """Wait until another item is needed; return False after `close`."""
        while not self._stop:
            full = len(self._queued) >= self._limit or sum(self._queued) >= MOST
            if not full and self._taken.empty():
                return True
            self._taken.get()
            if not self._stop:
                self._queued.popleft()
        return False

    def __iter__(self) -> Stage:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        while True:
            try:
                more, item = self._ready.get(timeout=WAKE)
                break
            except Empty:
                pass
        if more and not self._stop:
            self._taken.put(None)
            return item
        self._ended = True
        if item is not None and not self._stop:
            raise item
        raise StopIteration

    def close(self) -> None:
        """Stop after the item in progress; a waiting consumer gets the end. May be called twice."""
        self._stop = True
        self._taken.put(None)
        self._ready.put((False, None))
        self._thread.join()


@contextmanager
def side_by_side(
    items: Iterator[Any],
    *steps: Callable[[Iterator[Any]], Iterator[Any]],
    limit: int = 2,
    size: Callable[[Any], int] = lambda item: 0,
    threads: bool = True,
) -> Iterator[Iterator[Any]]:
    """Chain generators, each in its own thread, and yield the iterator of the last one.

    Args:
        items: input of the first step.
        steps: generator functions; each takes the iterator of the step before it.
        limit: maximum number of items queued behind each step.
        size: gives the bytes of an item, which also bound the queues.
        threads: False chains the generators in the calling thread; the results are the same.
    """
    stages: list[Stage] = []
    try:
        for step in steps:
            items = step(items)
            if threads:
                items = Stage(items, limit=limit, size=size, name=f"posetrack-{step.__name__}")
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
    """Return whether threads make a run with this pose network faster; None if the estimator runs no network."""
    # torch on a CPU uses all cores itself, and its many small operations hold the interpreter lock: two networks at
    # once ran at 0.7 times the speed on two cores, where OpenVINO, with one long call, ran at 1.4 times the speed
    return cores() > 1 and not (network and network.name == "torch" and network.device.startswith("cpu"))
