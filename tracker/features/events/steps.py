"""Detect alternating steps: at the largest distance of the feet in side views, at touchdown in front and back views.

Steps count from the third alternating one on, while the person travels or lifts the feet; the first two are reported
with it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

STRIDE, LIFT = 0.1, 0.06  # body heights, minimum distance of the ankles along the walking direction, and upwards
_BACK = 0.25  # share of a stride by which the distance must fall before its maximum counts
_DOWN = 0.8  # share of a lift by which the foot must fall to be down
_PAUSE = 0.4  # seconds with the feet together that end a walk
SHORTEST, LONGEST = 0.2, 2.0  # seconds between two steps of one walk
_SWITCH = 1.0  # seconds after a step, from when it may be seen in another way
ENOUGH = 3  # alternating steps that make a walk: left, right, left
_TRAVEL = 0.1  # body heights per step; a slow walk's step is 0.25
_GOING, _GOING_SECONDS = 0.2, 0.5  # body heights per second along the image, and over how long: strides are visible
_RISE = 0.025  # body heights between the ankles' heights where they pass, walking in place or on a treadmill
_PASSING = 0.15  # body heights between the ankles along the image; a lunge lifts the heel where they are far apart
_FASTEST = 10.0  # body heights per second of one foot past the other; 5 in a walk, 9 in a sprint
_BROAD = 0.3  # body heights between the feet in front and back views; feet farther apart jump or stand
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
        self._last, self._sign = (-math.inf, 0.0), 1.0  # for these and the next see `_repaired`
        self._exchanged = self._passing = False

    def update(self, time: float, frame: int, distance: float) -> tuple[float, int, float] | None:
        """Process a distance in body heights; return time, frame and signed distance of a completed step, or None."""
        if math.isnan(distance):
            return None
        distance = self._repaired(time, distance)
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
                step = self._when, self._frame, self._side * self._peak
            self._reported = self._side == 0 and self._fresh  # standing with the feet apart is no step
            self._side, self._peak = side, 0.0
        self._fresh = self._fresh and abs(distance) > self._least / 2
        size = distance * self._side
        if size > self._peak:
            self._peak, self._when, self._frame = size, time, frame
        if self._side and not self._reported and size < (1 - (_DOWN if self._lifts else _BACK)) * self._peak:
            self._reported = True
            when = (time, frame) if self._lifts else (self._when, self._frame)
            step = (*when, self._side * self._peak)
        return step

    def _repaired(self, time: float, distance: float) -> float:
        """Return the distance with the sign that its legs had before the network exchanged them.

        Where feet pass each other, the network may exchange the legs again without a trace, so after an exchange the
        next passing counts as one.
        """
        then, last = self._last
        if distance != last:  # a missing distance is bridged with the last one
            self._last = time, distance
        if last * distance < 0 and abs(distance - last) > _FASTEST * (time - then):
            self._sign, self._exchanged, self._passing = -self._sign, True, False
        elif self._exchanged and abs(distance) <= self._least:
            self._passing = True
        elif self._exchanged and self._passing:
            if self._side:
                self._sign = math.copysign(1.0, -self._side * distance)
            self._exchanged = False
        return self._sign * distance


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a walk.

    Attributes:
        time: seconds.
        frame: number of the frame.
        cadence: steps per minute, of the last five steps; NaN for the first step of a walk.
        margin: size of the step, in multiples of the least that counts.
        evenness: shortest of the last intervals between steps, as a share of the longest; NaN before the third step.
    """

    time: float
    frame: int
    cadence: float
    margin: float
    evenness: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    time: float
    frame: int
    size: float  # signed, body heights
    place: float  # of the centre of mass along the image, body heights; NaN if unknown
    rise: float  # largest distance of the ankles upwards where they pass, since the last step, body heights


class Walk:
    """Count one person's steps: by the stride in side views and if the person travels along the image, or by lifts.

    A person who turns may be seen both ways: while one of them reports steps, the other does not.
    """

    def __init__(self) -> None:
        self._strides, self._lifts = _Sequence(STRIDE, lifts=False), _Sequence(LIFT, lifts=True)
        self._last: tuple[_Sequence, float] = self._strides, -math.inf  # which reported last, and the time of the step
        self._places: deque[tuple[float, float]] = deque()  # seconds and places of the last `_GOING_SECONDS`

    def update(
        self, time: float, frame: int, *, stride: float, lift: float, place: float, sideways: bool, upright: bool
    ) -> list[Step]:
        """Process the ankles' distances and the place of the centre of mass, body heights; return the new steps."""
        travels = self._travels(time, place)
        if not upright or (not (sideways or travels) and abs(stride) > _BROAD):
            stride = lift = math.nan
        rise = abs(lift) if not sideways or abs(stride) < _PASSING else 0.0
        strides = self._strides.update(time, frame, stride, place, rise, counts=sideways or travels)
        lifts = self._lifts.update(time, frame, lift, place, rise, counts=not sideways)
        return [*self._reported(self._strides, strides), *self._reported(self._lifts, lifts)]

    def _reported(self, sequence: _Sequence, steps: list[Step]) -> list[Step]:
        last, then = self._last
        since = then + (SHORTEST if sequence is last else _SWITCH)
        steps = [step for step in steps if step.time >= since]
        if steps:
            self._last = sequence, steps[-1].time
        return steps

    def _travels(self, time: float, place: float) -> bool:
        """Return whether the person travels along the image, which shows the strides from the front, too."""
        if not math.isnan(place):
            self._places.append((time, place))
        while self._places and self._places[0][0] < time - _GOING_SECONDS:
            self._places.popleft()
        if len(self._places) < 2:
            return False
        (start, there), (end, here) = self._places[0], self._places[-1]
        return end - start >= _GOING_SECONDS / 2 and abs(here - there) >= _GOING * (end - start)


class _Sequence:
    """Alternating steps seen in one way.

    Args:
        least: minimum distance of the ankles, body heights.
        lifts: whether it is vertical.
    """

    def __init__(self, least: float, *, lifts: bool) -> None:
        self._least, self._detector = least, Steps(least, lifts=lifts)
        self._steps: deque[_Candidate] = deque(maxlen=5)
        self._walks = False
        self._rise = 0.0

    def update(
        self, time: float, frame: int, distance: float, place: float, rise: float, *, counts: bool
    ) -> list[Step]:
        """Process a frame, for arguments see `Walk.update`; return the new steps if `counts`."""
        self._rise = max(self._rise, rise)
        step = self._detector.update(time, frame, distance)
        last = self._steps[-1] if self._steps else None
        if step is None or not counts or (last and step[0] - last.time < SHORTEST):
            return []
        candidate = _Candidate(*step, place, self._rise)
        self._rise = 0.0
        if last and (candidate.time - last.time > LONGEST or candidate.size * last.size > 0):
            self._steps.clear()
        self._steps.append(candidate)
        before, self._walks = self._walks and len(self._steps) > 1, self._moves()
        if not self._walks:
            return []
        if not before:
            self._steps = deque(list(self._steps)[-ENOUGH:], maxlen=self._steps.maxlen)
        count = len(self._steps)
        return [self._step(row) for row in range(count - (1 if before else ENOUGH), count)]

    def _moves(self) -> bool:
        """Return whether the last steps travel, or lift the feet."""
        if len(self._steps) < ENOUGH:
            return False
        recent = list(self._steps)[-ENOUGH:]
        travels = abs(recent[-1].place - recent[0].place) >= _TRAVEL * (ENOUGH - 1)
        return travels or median(step.rise for step in recent) >= _RISE

    def _step(self, row: int) -> Step:
        steps = list(self._steps)[: row + 1]
        gaps = [after.time - before.time for before, after in pairwise(steps)]
        cadence = 60 / median(gaps) if gaps else math.nan
        evenness = min(gaps) / max(gaps) if len(gaps) > 1 else math.nan
        return Step(steps[-1].time, steps[-1].frame, cadence, abs(steps[-1].size) / self._least, evenness)
