"""Pass the newest item of a thread to any number of coroutines."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The newest item; a slow reader misses items and never delays the thread.

    Args:
        loop: in which the readers run.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._number = 0
        self._item: T | None = None
        self._ended = False
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Give an item; called in any thread."""
        self._soon(item, ended=False)

    def end(self) -> None:
        """Give no more items; called in any thread."""
        self._soon(self._item, ended=True)

    def _soon(self, item: T | None, *, ended: bool) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set, item, ended)

    def _set(self, item: T | None, ended: bool) -> None:
        self._item, self._ended = item, ended
        self._number += not ended
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, number: int) -> tuple[int, T] | None:
        """Wait for an item newer than that number, and return it with its own; None at the end."""
        while self._number <= number or self._item is None:
            if self._ended:
                return None
            await self._changed.wait()
        return self._number, self._item
