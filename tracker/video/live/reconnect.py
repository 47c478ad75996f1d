"""Reopen a lost camera or stream, for a limited time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ....errors import SourceError

log = logging.getLogger("posetrack")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0  # seconds between attempts; each is twice the one before


class LiveReader(Protocol):
    """Reader of a live source.

    Attributes:
        arrived: seconds of the monotonic clock at which the last image arrived, before it was decoded.
        failed: frames that are missing or could not be decoded.
        damage: reason of the end; None if unknown.
    """

    arrived: float
    failed: int
    damage: str | None

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], float]]: ...

    def close(self) -> None:
        """Release the device or connection."""


@dataclass(frozen=True, slots=True)
class Shot:
    """An image of a live source.

    Attributes:
        image: (H, W, 3) BGR uint8.
        time: seconds of the source's clock, continued over gaps.
        captured: seconds of the monotonic clock.
    """

    image: NDArray[np.uint8]
    time: float
    captured: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Time without a connection, from the last frame before it to the first after it, in seconds of `Shot.time`."""

    start: float
    end: float


class Reconnecting:
    """Iterator of the shots of a live source, across lost connections.

    Attributes:
        gaps: completed times without a connection.
    """

    def __init__(
        self, reader: LiveReader, reopen: Callable[[], LiveReader] | None = None, *, name: str, wait: float = 0.0
    ) -> None:
        """Start with an open reader.

        Args:
            reader: the first reader.
            reopen: opens the next reader, or raises a SourceError.
            name: of the source, without credentials, for messages.
            wait: seconds to try after each loss; 0 gives up at once.
        """
        self.gaps: list[Gap] = []
        self._reader, self._reopen, self._name = reader, reopen, name
        self._wait = wait if reopen else 0.0
        self._failed = 0  # of earlier readers
        self._stopped = threading.Event()

    @property
    def failed(self) -> int:
        """Frames that are missing or could not be decoded."""
        return self._failed + self._reader.failed

    @property
    def damage(self) -> str | None:
        """Reason of the end; None if unknown."""
        return self._reader.damage

    def __iter__(self) -> Iterator[Shot]:
        """Yield every image.

        Raises:
            SourceError: the source was lost and could not be reopened in time.
        """
        last: Shot | None = None
        while True:
            lost: SourceError | None = None
            try:
                for shot in self._shots(after=last):
                    last = shot
                    yield shot
            except SourceError as error:
                lost = error
            if self._stopped.is_set() or not self._reopened():
                if lost is not None:
                    raise lost
                return

    def _shots(self, *, after: Shot | None) -> Iterator[Shot]:
        """Yield the images of one connection, whose clock may start at any value."""
        shift: float | None = None
        for image, seconds in self._reader:
            captured = self._reader.arrived
            if shift is None:
                shift = 0.0
                if after is not None:
                    now = after.time + captured - after.captured  # by the monotonic clock, which both connections share
                    shift = now - seconds
                    self.gaps.append(Gap(after.time, now))
                    log.warning("'%s' is back after %.1f s.", self._name, now - after.time)
            yield Shot(image, seconds + shift, captured)

    def _reopened(self) -> bool:
        """Try to reopen the source; return whether it is open."""
        if not self._wait or self._reopen is None:
            return False
        log.warning("Lost '%s'; trying to reopen it for %g s.", self._name, self._wait)
        deadline, pause = time.monotonic() + self._wait, FIRST_PAUSE
        self._reader.close()
        while (left := deadline - time.monotonic()) > 0:
            if self._stopped.wait(min(pause, left)):
                return False
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                reader = self._reopen()
            except SourceError:
                continue
            self._failed += self._reader.failed
            self._reader = reader
            return True
        log.warning("'%s' did not return within %g s.", self._name, self._wait)
        return False

    def stop(self) -> None:
        """Stop reconnecting; may be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Release the device or connection."""
        self._reader.close()
