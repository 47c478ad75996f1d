"""Detect alternating steps: at the largest distance of the feet in side views, at touchdown in front views."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

STRIDE, LIFT = 0.1, 0.06  # body heights, minimum distance of the ankles along the walking direction, and upwards
_BACK = 0.25  # share of a stride by which the distance must fall before its maximum counts
_DOWN = 0.8  # share of a lift by which the foot must fall to be down
_PAUSE = 0.4  # seconds with the feet together that end a walk
SHORTEST, LONGEST = 0.2, 2.0  # seconds between two steps of one walk
UPRIGHT, LEGS = 0.5, 0.5  # minimum trunk_rise and thigh_drop of a walking person


class Steps:
    """Detect steps in the signed distance of one person's ankles, which changes its sign with each step.

    Args:
        least: minimum distance, body heights.
        lifts: whether the distance is vertical, so that a step is at touchdown.
    """

    def __init__(self, least: float, *, lifts: bool) -> None:
        self._least, self._lifts = least, lifts
        self._side, self._together = 0, math.nan  # together: time from which the feet are together
        self._peak, self._when, self._frame = 0.0, math.nan, 0
        self._reported, self._fresh = False, True

    def update(self, time: float, frame: int, distance: float) -> tuple[float, int, float] | None:
        """Process a distance in body heights; return time, frame and distance of a completed step, or None."""
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
            if self._side and not self._reported:
                step = self._when, self._frame, self._peak
            self._reported = self._side == 0 and self._fresh  # standing with the feet apart is no step
            self._side, self._peak = side, 0.0
        self._fresh = self._fresh and abs(distance) > self._least / 2
        size = distance * self._side
        if size > self._peak:
            self._peak, self._when, self._frame = size, time, frame
        if self._side and not self._reported and size < (1 - (_DOWN if self._lifts else _BACK)) * self._peak:
            self._reported = True
            step = (time, frame, self._peak) if self._lifts else (self._when, self._frame, self._peak)
        return step


class Gait:
    """Count one person's steps: by the stride in side views, by lifted feet in front and back views."""

    def __init__(self) -> None:
        self._along, self._up = Steps(STRIDE, lifts=False), Steps(LIFT, lifts=True)
        self._steps: deque[float] = deque(maxlen=5)

    def update(
        self, time: float, frame: int, *, stride: float, lift: float, sideways: bool, upright: bool
    ) -> tuple[float, int, float, float] | None:
        """Process the ankles' distances; return time, frame, cadence (steps per minute) and confidence of a step."""
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
