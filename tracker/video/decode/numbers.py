"""Number the frames of a video; frames lost to damage or before a start count."""

from __future__ import annotations

import heapq
import math
from itertools import takewhile
from typing import Any

from .streams import is_joint

_STEADY = 0.25  # of a step: tolerance of a constant rate; Matroska rounds to the millisecond
_SURE = 3  # steps after which the rate is known
_REORDERED = 16  # frames; no codec reorders more
_WAITING = 1000  # packets without a frame; no codec reorders so many


# Frames from which a gap in a constant rate is damage, in formats that FFmpeg searches for the next whole block without
# an error. Some have a constant rate; in the others, an encoder may have left single frames out.
LEAKY = {"mpegts": 1, "mxf": 1, **dict.fromkeys(("asf", "flv", "matroska,webm", "mpeg", "nut", "ogg"), 8)}


class FrameNumbers:
    """Number the frames of one pass through a stream, in presentation order.

    Without damage, numbers are consecutive. After damage, the frames between two decoded ones were lost: at a constant
    rate, as many as fit in between, because packets may be lost too; otherwise as many as there were packets.

    Args:
        first: number of frames before the first packet.
        leaky: frames from which a gap in a constant rate is damage; None if a gap is none.
        tick: seconds per timestamp unit if the timestamps may jump at joints; None if they cannot.

    Attributes:
        skipped: frames lost between others so far.
        pending: packets so far whose frames did not come.
    """

    def __init__(self, first: int = 0, *, leaky: int | None = None, tick: float | None = None) -> None:
        self._next, self._leaky, self._tick = first, leaky, tick
        self._waiting: list[int] = []  # timestamps of packets whose frames are not decoded yet
        self._last: int | None = None
        self._origin: tuple[int, int] | None = None  # timestamp and number of the first frame that had one
        self._steady, self._damaged, self._lost = True, False, 0
        self.skipped = self.pending = 0

    def packet(self, packet: Any) -> None:
        """Register a packet before it is decoded."""
        self._damaged = self._damaged or packet.is_corrupt
        self.pending += packet.size > 0
        if is_presented(packet):
            heapq.heappush(self._waiting, packet.pts)
            if len(self._waiting) > _WAITING:
                heapq.heappop(self._waiting)

    def is_late(self, pts: int | None) -> bool:
        """Return whether a frame is out of order, as decoders output them after damage."""
        if not self._damaged or pts is None or self._last is None:
            return False
        return pts <= self._last and not self._is_joint(pts)

    def lost(self) -> None:
        """Register a frame that could not be decoded."""
        self._damaged = True
        self._lost += 1
        self.pending -= 1

    def number(self, pts: int | None) -> int:
        """Return the number of the next frame."""
        if pts is None:
            number, self._lost = self._next + self._lost, 0
        elif self._is_joint(pts):
            near = [other for other in self._waiting if other > pts and not self._is_joint(other, pts)]
            heapq.heapify(near)
            number, self._waiting, self._damaged = self._next, near, False
            self._origin, self._last = (pts, number), pts
        else:
            between = self._between(pts)
            number = self._next + between
            self.skipped += between if self._last is not None else 0  # at the beginning, what needs earlier frames
            self._origin, self._last = self._origin or (pts, number), pts
        self._next = number + 1
        self.pending -= 1
        return number

    @property
    def _step(self) -> float:
        """Mean timestamp difference between frames; 0 while unknown."""
        if self._last is None or self._origin is None:
            return 0.0
        return (self._last - self._origin[0]) / self._steps if self._steps >= _SURE else 0.0

    @property
    def _steps(self) -> int:
        """Steps since the first frame that had a timestamp; lost frames count."""
        return self._next - 1 - self._origin[1] if self._origin else 0

    def _is_joint(self, pts: int, last: int | None = None) -> bool:
        last = self._last if last is None else last
        if self._tick is None or last is None or not is_joint(last * self._tick, pts * self._tick):
            return False
        restarted = self._origin is not None and pts <= self._origin[0]
        return pts > last or restarted or last - pts > _REORDERED * self._step  # after damage, frames are out of order

    def _between(self, pts: int) -> int:
        """Return how many frames were lost before the one with this timestamp."""
        skipped = 0
        while self._waiting and self._waiting[0] <= pts:
            skipped += heapq.heappop(self._waiting) < pts
        if self._last is None or self._origin is None:
            return skipped
        step = self._step
        gap = (pts - self._last) / step if step > 0 else math.nan
        if not self._damaged:
            leaks = self._leaky and self._steps >= _SURE * self._leaky and gap > self._leaky + 1 - _STEADY
            whole = round(gap) if leaks else 1
            self._steady = self._steady and not abs(gap - whole) > _STEADY
            self._damaged = self._steady and whole > 1
            if not self._damaged:
                return 0
        return max(0, round(gap) - 1) if self._steady and gap == gap else skipped


def is_presented(packet: Any) -> bool:
    """Return whether a packet's frame is shown; edit lists omit some."""
    return packet.pts is not None and not packet.is_discard


def packets_before(stream: Any, landing: Any) -> int:
    """Return the number of frames before a packet in decoding order, without decoding.

    An index of all packets is used if the file has one; otherwise the stream is read up to the packet.

    Args:
        stream: of a newly opened container, because not every file can seek back to its beginning.
        landing: the packet, from another container of the same file.
    """
    packets = stream.container.demux(stream)
    entries: Any = getattr(stream, "index_entries", ())
    if len(entries) == stream.frames > 0 and landing.dts is not None:
        offset = entries[0].timestamp - next(packets).dts
        before = (entry for entry in entries if entry.timestamp - offset < landing.dts)
        return sum(not entry.is_discard for entry in before)
    same = (landing.pts, landing.size)  # after a seek the decoding time may be unknown
    return sum(map(is_presented, takewhile(lambda packet: (packet.pts, packet.size) != same, packets)))
