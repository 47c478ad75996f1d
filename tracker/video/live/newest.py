"""Keep the newest frame of a live source: a thread reads all frames, so a slow consumer causes no lag."""

from __future__ import annotations

import logging
import threading
import time

from ....errors import SourceError
from .reconnect import Reconnecting, Shot

log = logging.getLogger("posetrack")

WARN_EVERY = 5.0  # minimum number of seconds between two warnings about dropped frames
CLOSE_WAIT = 2.0  # seconds; a thread that is blocked by a dead connection closes it when the read times out


class Newest:
    """Iterator of the newest shot of a live reader at any speed of the consumer.

    Attributes:
        dropped: frames that were replaced before they were taken, counted from the first one taken.
        number: of the last shot taken: how many preceded it since the first one taken.
    """

    def __init__(self, reader: Reconnecting, *, name: str, timeout: float) -> None:
        """Start the thread.

        Args:
            reader: used and closed by the thread only.
            name: of the source, without credentials, for messages.
            timeout: seconds to wait for a frame.
        """
        self.dropped, self.number, self._given = 0, 0, 0
        self._reader, self._name, self._timeout = reader, name, timeout
        self._changed = threading.Condition()
        self._item: Shot | None = None
        self._error: Exception | None = None
        self._taken = self._ended = self._stop = False
        self._warned, self._warned_at = 0, time.monotonic()
        self._thread = threading.Thread(target=self._read, name="posetrack-live", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        error: Exception | None = None
        try:
            for item in self._reader:
                with self._changed:
                    if self._stop:
                        break
                    self.dropped += self._taken and self._item is not None
                    self._item = item
                    self._changed.notify_all()
        except Exception as caught:  # raised in the consumer's thread
            error = caught
        finally:
            try:
                self._reader.close()
            except Exception as caught:
                error = error or caught
            with self._changed:
                self._error, self._ended = error, True
                self._changed.notify_all()

    def peek(self, timeout: float | None = None) -> Shot:
        """Wait for a frame without taking it, for the given seconds instead of the usual timeout.

        Raises:
            SourceError: no frame came in time, or the reader failed.
            StopIteration: the source ended.
        """
        with self._changed:
            timeout = timeout or self._timeout
            if not self._changed.wait_for(lambda: self._item or self._ended or self._stop, timeout):
                raise SourceError(
                    f"No frame from '{self._name}' within {timeout:g} s. "
                    f"Check that it is running, or raise the timeout."
                )
            if self._stop:
                raise StopIteration
            if self._item is not None:
                return self._item
            if isinstance(self._error, SourceError):
                raise self._error
            if self._error is not None:
                what = type(self._error).__name__  # its text may contain the address with its password
                raise SourceError(f"Reading '{self._name}' failed ({what}). Check the source and start again.")
            raise StopIteration

    def __iter__(self) -> Newest:
        return self

    def __next__(self) -> Shot:
        with self._changed:
            item = self.peek()
            self._item, self._taken = None, True
            self.number, self._given = self._given + self.dropped, self._given + 1
        self._warn()
        return item

    def _warn(self) -> None:
        """Log how many frames were dropped since the last warning."""
        dropped, elapsed = self.dropped - self._warned, time.monotonic() - self._warned_at
        if dropped and elapsed >= WARN_EVERY:
            log.warning("'%s': %d frames dropped in %.0f s, to stay with the newest.", self._name, dropped, elapsed)
            self._warned, self._warned_at = self.dropped, time.monotonic()

    def close(self) -> None:
        """Stop the thread, which releases the reader and ends the iteration. May be called from any thread."""
        self._reader.stop()
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSE_WAIT)
