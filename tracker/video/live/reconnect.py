"""A live reader that opens its camera or stream again when it is lost, for a bounded time."""

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
    """What a live kind of source has to offer.

    Attributes:
        arrived: seconds of the monotonic clock at which the picture given last came in, before it was decoded.
        failed: frames that could not be decoded.
        damage: why it ended; None if nothing is known.
    """

    arrived: float
    failed: int
    damage: str | None

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], float]]: ...

    def close(self) -> None:
        """Release the device or connection."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a live source.

    Attributes:
        image: (H, W, 3) BGR uint8.
        time: seconds of the source's own clock, which goes on truly over a gap.
        captured: seconds of the monotonic clock.
    """

    image: NDArray[np.uint8]
    time: float
    captured: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a connection: from the last frame before it to the first one after it, in seconds of `Shot`."""

    start: float
    end: float


class Reconnecting:
    """Iterate over the shots of a live source, across losses of it.

    Attributes:
        gaps: times without a connection, as they end.
    """

    def __init__(
        self, reader: LiveReader, reopen: Callable[[], LiveReader] | None = None, *, name: str, wait: float = 0.0
    ) -> None:
        """Begin with a reader that is open.

        Args:
            reader: the first one.
            reopen: opens the next one, or raises a SourceError.
            name: of the source, without credentials, for messages.
            wait: seconds to try for, after each loss; 0 gives up at once.
        """
        self.gaps: list[Gap] = []
        self._reader, self._reopen, self._name = reader, reopen, name
        self._wait = wait if reopen else 0.0
        self._failed = 0  # of the readers before this one
        self._stopped = threading.Event()

    @property
    def failed(self) -> int:
        """Frames that could not be decoded."""
        return self._failed + self._reader.failed

    @property
    def damage(self) -> str | None:
        """Why it ended; None if nothing is known."""
        return self._reader.damage

    def __iter__(self) -> Iterator[Shot]:
        """Yield every picture.

        Raises:
            SourceError: the source was lost and did not come back in time.
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
            if self._stopped.is_set() or not self._comes_back():
                if lost is not None:
                    raise lost
                return

    def _shots(self, *, after: Shot | None) -> Iterator[Shot]:
        """Yield the pictures of one connection, whose own clock may begin anywhere."""
        shift: float | None = None
        for image, seconds in self._reader:
            captured = self._reader.arrived
            if shift is None:
                shift = 0.0
                if after is not None:
                    now = after.time + captured - after.captured  # the clock that both connections share
                    shift = now - seconds
                    self.gaps.append(Gap(after.time, now))
                    log.warning("'%s' is back after %.1f s.", self._name, now - after.time)
            yield Shot(image, seconds + shift, captured)

    def _comes_back(self) -> bool:
        """Try to open the source again; tell whether it is open."""
        if not self._wait or self._reopen is None:
            return False
        log.warning("Lost '%s'; trying for %g s to get it back.", self._name, self._wait)
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
        log.warning("'%s' did not come back within %g s.", self._name, self._wait)
        return False

    def stop(self) -> None:
        """Wait for nothing any more; from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Release the device or connection."""
        self._reader.close()
