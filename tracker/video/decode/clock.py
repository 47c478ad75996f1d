"""Presentation times of a video's frames."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from .streams import DEFAULT_FPS, Rate, is_joint, longest_gap

_DECODING = frozenset({"avi", "asf"})  # formats that store the decoding order only


def reorders(stream: Any) -> bool:
    """Return whether the decoding order of the stream may differ from its presentation order."""
    return bool(stream.codec_context.has_b_frames)


def hides_order(container: Any, stream: Any) -> bool:
    """Return whether the times in the container are those of another order than that of presentation."""
    return container.format.name in _DECODING and reorders(stream)


class Clock:
    """Strictly increasing seconds since the stream's first presentation.

    Attributes:
        counted: frame n is shown at n / fps; the container's times are ignored.
        begin: seconds of the container's own clock at time 0; 0 before the first frame.
        shifts: seconds added at each joint of a concatenated file.
        late: seconds of the container before the first frame that its announced duration contains.
    """

    def __init__(self, container: Any, stream: Any, rate: Rate, *, live: bool) -> None:
        """Begin before the first frame.

        Args:
            container: of the stream.
            stream: the video stream.
            rate: its frame rate.
            live: whether the stream does not wait for its reader.
        """
        self.begin = self.late = 0.0
        self.shifts: list[float] = []
        self._base = stream.time_base or Fraction(1, 90000)
        self._start = float((stream.start_time or 0) * self._base)
        # Frames have the times of the decoding order, the first one delayed by the reordering.
        self._decoding = container.format.name in _DECODING
        self._origin = None if live or hides_order(container, stream) else stream.start_time  # ticks
        self._step, self._last = 1 / (rate.fps or DEFAULT_FPS), -1.0
        self.counted, self._live = rate.counted, live
        self._gap = longest_gap(container)
        self._begun = False

    def __call__(self, frame: av.VideoFrame, *, number: int, arrived: float) -> float:
        """Return the seconds of the next frame.

        Args:
            frame: in presentation order.
            number: of this frame, including lost ones.
            arrived: seconds of the monotonic clock.
        """
        seconds = self._seconds(frame, number, arrived)
        if self._begun and seconds <= self._last:
            seconds = self._last + self._step
        if self._begun and self._decoding and not self.counted:
            self._step = seconds - self._last  # the last frames have no time
        self._begun, self._last = True, seconds
        return seconds

    def _seconds(self, frame: av.VideoFrame, number: int, arrived: float) -> float:
        if self.counted:  # for such live streams FFmpeg's times assume 25 fps
            return arrived if self._live else number * self._step
        pts = frame.dts if self._decoding or frame.pts is None else frame.pts
        if pts is None:
            return self._last + self._step if self._begun else 0.0
        self._origin = pts if self._origin is None else self._origin
        self.begin = float(self._origin * self._base)
        self.late = self.begin - self._start
        seconds = float((pts - self._origin) * self._base) + sum(self.shifts)
        if self._begun and self._gap and is_joint(self._last, seconds, gap=self._gap):
            self.shifts.append(self._last + self._step - seconds)
            return self._last + self._step
        return seconds
