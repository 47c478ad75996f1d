"""Deinterlace: one progressive frame per interlaced frame, at the time of its first field."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.filter import Graph

log = logging.getLogger("posetrack")


class Timed(NamedTuple):
    """A decoded frame, its presentation time in seconds, and its number in the source."""

    frame: av.VideoFrame
    seconds: float
    number: int


def deinterlaced(frames: Iterator[Timed], *, name: str) -> Iterator[Timed]:
    """Deinterlace frames that are flagged as interlaced; yield progressive frames unchanged.

    From the first flagged frame on, frames are delayed by one, because the filter needs both neighbours.

    Args:
        frames: in presentation order.
        name: name of the source in messages.
    """
    filter: _Filter | None = None
    logged = False
    for timed in frames:
        frame = timed.frame
        if filter is None and not frame.interlaced_frame:
            yield timed
            continue
        if not logged:
            log.info("'%s' is interlaced: its frames are deinterlaced.", name)
            logged = True
        if filter is None or not filter.takes(frame):
            if filter is not None:
                yield from filter.finish()
            filter = _Filter(frame)
        yield from filter(timed)
    if filter is not None:
        yield from filter.finish()


class _Filter:
    """FFmpeg's bwdif for frames of one size and layout; progressive frames pass unchanged."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._kind = _kind(frame)
        self._waiting: deque[Timed] = deque()  # frames in the filter
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
        )
        filter = self._graph.add("bwdif", mode="send_frame", deint="interlaced")
        sink = self._graph.add("buffersink")
        source.link_to(filter)
        filter.link_to(sink)
        self._graph.configure()
        self._count = 0

    def takes(self, frame: av.VideoFrame) -> bool:
        return _kind(frame) == self._kind

    def __call__(self, timed: Timed) -> Iterator[Timed]:
        frame = timed.frame
        frame.pts, frame.time_base = self._count, Fraction(1)  # the filter needs increasing ones, and halves them
        self._count += 1
        self._waiting.append(timed)
        self._graph.push(frame)
        return self._ready()

    def finish(self) -> Iterator[Timed]:
        """Yield the remaining frames."""
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> Iterator[Timed]:
        while self._waiting:
            try:
                frame: Any = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield self._waiting.popleft()._replace(frame=frame)


def _kind(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
