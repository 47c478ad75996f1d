"""Run the steps of a line side by side: each on a thread of its own, a few items ahead of the next one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .perception.runtimes.machine import cores

WAKE = 0.5  # seconds; a wait without an end could not be interrupted by Ctrl-C on Windows


class Stage:
    """Iterate over items that a thread computes ahead of their consumer, in their order.

    The thread begins an item only when fewer than `limit` are waiting: a slow consumer slows it down, and nothing piles
    up. An exception of the thread comes after the items before it, as the same object with its traceback.

    Args:
        items: what computes them; used, and closed at the end, by the thread alone.
        limit: how many items may wait, the one in the making included.
        name: of the thread.
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
        except BaseException as caught:  # the consumer's thread is where it is raised
            error = caught
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        """Wait until another item is wanted; False when none is any more."""
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
        """Stop after the item in the making; who waits for another one gets the end. Twice is fine."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join()


@contextmanager
def side_by_side(
    items: Iterator[Any], *steps: Callable[[Iterator[Any]], Iterator[Any]], limit: int = 2, threads: bool = True
) -> Iterator[Iterator[Any]]:
    """Chain generators, each on a thread of its own, and give what the last one yields.

    Args:
        items: what the first step takes.
        steps: generator functions, each from the iterator before it.
        limit: how many items may wait behind each step.
        threads: False chains them in this thread, one item after the other; the results are the same.
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
        for stage in stages:  # the first one first: those behind it then wait for nothing
            stage.close()


def streams(*, live: bool) -> int:
    """Return how many frames to work at at once: a live source's newest one alone, two of a file.

    Two cores that each do a frame of their own wait for each other less than two that share every step of one.
    """
    return 1 if live else min(2, cores())
