"""Steps: left and right in turn, the moments in which the feet are farthest apart or, from the front, come down."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

STRIDE, LIFT = 0.1, 0.06  # body heights that the ankles must be apart: along the way, and upwards
_BACK = 0.25  # share of a stride that must be gone again before its longest is believed
_DOWN = 0.8  # share of a lift that must be gone again until the foot is down
_PAUSE = 0.4  # seconds with the feet beside each other that end a walk
SHORTEST, LONGEST = 0.2, 2.0  # seconds between two steps of one walk
UPRIGHT, LEGS = 0.5, 0.5  # trunk_rise and thigh_drop, below which nobody walks


class Steps:
    """Follow the distance of one person's ankles, which changes its sign with every step.

    Args:
        least: body heights that it must reach.
        lifts: whether it is a lifted foot's, so that the step is where it is down again.
    """

    def __init__(self, least: float, *, lifts: bool) -> None:
        self._least, self._lifts = least, lifts
        self._side, self._together = 0, math.nan  # together: since when the feet are beside each other
        self._peak, self._when, self._frame = 0.0, math.nan, 0
        self._told, self._fresh = False, True

    def update(self, time: float, frame: int, distance: float) -> tuple[float, int, float] | None:
        """Take a distance in body heights; return time, frame and distance of a step that is over."""
        if math.isnan(distance):
            return None
        if abs(distance) > self._least / 2:
            self._together = math.nan
        elif math.isnan(self._together):
            self._together = time
        elif time - self._together > _PAUSE:
            self._side = 0
        step = None
        side = (distance > self._least) - (distance < -self._least)
        if side and side != self._side:
            if self._side and not self._told:
                step = self._when, self._frame, self._peak
            self._told = self._side == 0 and self._fresh  # who stands with the feet apart has made no step
            self._side, self._peak = side, 0.0
        self._fresh = self._fresh and abs(distance) > self._least / 2
        size = distance * self._side
        if size > self._peak:
            self._peak, self._when, self._frame = size, time, frame
        if self._side and not self._told and size < (1 - (_DOWN if self._lifts else _BACK)) * self._peak:
            self._told = True
            step = (time, frame, self._peak) if self._lifts else (self._when, self._frame, self._peak)
        return step


class Gait:
    """Count one person's steps: from the side by the feet along the way, from front and back by lifted feet."""

    def __init__(self) -> None:
        self._along, self._up = Steps(STRIDE, lifts=False), Steps(LIFT, lifts=True)
        self._steps: deque[float] = deque(maxlen=5)

    def update(
        self, time: float, frame: int, *, stride: float, lift: float, sideways: bool, upright: bool
    ) -> tuple[float, int, float, float] | None:
        """Take the distances of the ankles; return a step's time, frame, cadence in steps a minute, and confidence."""
        if not upright:
            stride = lift = math.nan
        along, up = self._along.update(time, frame, stride), self._up.update(time, frame, lift)
        step, least = (along, STRIDE) if sideways else (up, LIFT)
        if step is None or (self._steps and step[0] - self._steps[-1] < SHORTEST):
            return None
        when, number, size = step
        if self._steps and when - self._steps[-1] > LONGEST:
            self._steps.clear()
        self._steps.append(when)
        gaps = [b - a for a, b in zip(self._steps, list(self._steps)[1:])]
        return when, number, 60 / median(gaps) if gaps else math.nan, min(1.0, size / (2 * least))
