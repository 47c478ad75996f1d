"""Signals that end a command; terminals that are closed, full or of another encoding; texts that are safe to show."""

from __future__ import annotations

import atexit
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

MAX_TEXT = 2000  # characters of a message
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and new lines
_ENDING = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_TOGETHER = 1.0  # seconds; supervisors and shells often send two signals at once


@contextmanager
def supervised(*, last: bool = False) -> Iterator[None]:
    """Run a block in which an ending signal raises `KeyboardInterrupt`, and a failing terminal loses text only.

    Args:
        last: whether the process ends after the block, so that signals never get their former effect back.
    """
    _open_descriptors()
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_lenient(stream) for stream in streams)
    try:
        with _signals(last=last):
            yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = streams


@contextmanager
def _signals(*, last: bool) -> Iterator[None]:
    """Let SIGTERM and SIGHUP, unless ignored (nohup), act as Ctrl-C, and Ctrl-C act in background jobs, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    end = _End()
    before: dict[int, Any] = {signal.SIGINT: signal.getsignal(signal.SIGINT)}
    signal.signal(signal.SIGINT, end)  # a shell lets background jobs ignore it
    for number in (getattr(signal, name) for name in _ENDING if hasattr(signal, name)):
        if signal.getsignal(number) == signal.SIG_DFL:
            before[number] = signal.signal(number, end)
    if last:  # Python gives other handlers up before it frees its modules and libraries, and a signal would kill it
        for number in before:
            atexit.register(signal.signal, number, signal.SIG_IGN)
    try:
        yield
    finally:
        end.close()
        for number, handler in () if last else before.items():
            signal.signal(number, handler)


class _End:
    """The handler of ending signals: the first one stops the command in order, a later one ends the process at once.

    A second interrupt in the middle of closing files and joining threads would end in tracebacks and aborts of C++.
    Ended at once, a run leaves what it leaves after `kill -9`: partial results that are readable.
    """

    def __init__(self) -> None:
        self._first: float | None = None

    def close(self) -> None:
        """Let the first signal count as received: the command has ended."""
        self._first = self._first or time.monotonic()

    def __call__(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            raise KeyboardInterrupt
        if now - self._first > _TOGETHER:
            with suppress(OSError):
                os.write(2, b"posetrack: ended at once; unfinished results keep their partial names.\n")
            os._exit(1)


def _open_descriptors() -> None:
    """Open closed standard descriptors, which the next opened file would take: libraries print to it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def _lenient(stream: Any) -> Any:
    with suppress(AttributeError, OSError, ValueError):  # no stream, or a test's
        stream.reconfigure(errors="backslashreplace")  # a file name may hold what the terminal cannot show
    return LenientStream(stream)


class LenientStream:
    """A text stream that loses what cannot be written: the reader of a pipe may be gone, or the disk full.

    Args:
        stream: where text goes; None, as of a process without terminal, loses all of it.

    Attributes:
        error: why text was lost; None if none was.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        """Write text, and return its length."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        self._try(lambda: self._stream.flush())

    def _try(self, act: Any) -> None:
        if self._stream is None or self.error:
            return
        try:
            act()
        except (OSError, ValueError) as error:
            self.error = error
            with suppress(OSError, ValueError, AttributeError):  # Python flushes the rest at its end
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self._stream.fileno())
                os.close(null)

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and bool(self._stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def plain(text: str) -> str:
    """Return a message for a terminal, which would obey control characters that names and values of files may hold."""
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT // 2]} ... {text[-MAX_TEXT // 4 :]}"
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class PlainFormatter(logging.Formatter):
    """Format the log for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message of a record."""
        return plain(super().format(record))
