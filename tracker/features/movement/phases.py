"""One row for each repetition: when it began, turned and ended, how deep it was, and how far each joint moved."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..events.detector import EventDetector
from ..events.event import Event
from ..events.repetitions import Cycle, Exercise
from ..extraction.columns import unit_of
from ..extraction.features import Features
from ..extraction.stream import FORGET_SECONDS
from ..kinematics.angles import JOINTS, unwrapped
from ..kinematics.points import Array
from ..kinematics.signals import asymmetry_index, resample, smooth

SETTLE_SECONDS = 1.0  # before and after a repetition, in which its rest is searched
_SMOOTH = 0.06  # seconds; keeps 99 % of a movement of 0.5 Hz and 93 % of one of 1 Hz
_LOW, _HIGH = 0.15, 0.4  # shares of the way from rest, from whose times the beginning is extrapolated
_REST = 10  # percentile of the values before a repetition that is its rest: low, but above the noise's lowest
_DROPS = ("trunk_rise", "thigh_drop", "shank_drop", "elbow_drop")  # cosines of a segment's angle, 0 degrees upright
_RAISES = ("arm_raise", "left_arm_raise", "right_arm_raise")  # 0 degrees hanging, 180 overhead


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of one person.

    Attributes:
        track: ID of the person.
        exercise: its name.
        number: counts this person's repetitions of the exercise from 1.
        start: seconds, when the movement left its rest.
        bottom: seconds, when it was farthest from rest.
        end: seconds, when it was back.
        eccentric: seconds of the phase in which the muscles lengthen, such as the way down of a squat.
        concentric: seconds of the other phase.
        tempo: repetitions per minute, from this one's bottom and that of the last; NaN for the first of a set.
        measure: angle or measure that is counted.
        depth: the measure at the bottom; in degrees, also of measures that are the cosine of a segment's angle.
        ranges: (J,) range of motion of each joint of `angles.JOINTS`, degrees; NaN if known in less than half of it.
        asymmetry: (J / 2,) index of the left and right ranges, %, see `signals.asymmetry_index`.
        qualities: (J,) mean quality of each joint's angle.
        quality: mean quality of the measure.
        confidence: probability that the count is right.
    """

    track: int
    exercise: str
    number: int
    start: float
    bottom: float
    end: float
    eccentric: float
    concentric: float
    tempo: float
    measure: str
    depth: float
    ranges: Array
    asymmetry: Array
    qualities: Array
    quality: float
    confidence: float

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start

    @property
    def unit(self) -> str:
        """Unit of the depth: "deg", "body heights", or empty for a ratio."""
        return "deg" if self.measure in (*_DROPS, *_RAISES) else unit_of(self.measure)


@dataclass(slots=True)
class _Person:
    rows: deque[tuple[float, Array]] = field(default_factory=deque)  # seconds; joints, their qualities, measures
    waiting: list[Event] = field(default_factory=list)
    bottoms: dict[str, float] = field(default_factory=dict)  # of the last repetition of each exercise, seconds


class Repetitions:
    """Describe each repetition that a detector counts, `SETTLE_SECONDS` after its end.

    Args:
        detector: counts.
    """

    def __init__(self, detector: EventDetector) -> None:
        self._detector = detector
        self._exercises = {one.name: one for one in detector.exercises}
        self._measures = list(dict.fromkeys(one.measure for one in detector.exercises))
        self._keep = max(one.longest for one in detector.exercises) + 2 * SETTLE_SECONDS + FORGET_SECONDS
        self._people: dict[int, _Person] = {}

    def take(self, features: Features, events: Sequence[Event]) -> list[Repetition]:
        """Process one frame with the events that were detected in it; return the repetitions that are now complete."""
        plausible, now = features.plausible, features.time
        wanted = [f"{joint}_deg" for joint in JOINTS] + [f"{joint}_quality" for joint in JOINTS]
        columns = [features.names.index(name) for name in wanted]
        for row, track in enumerate(features.ids.tolist()):
            measures = [self._detector.measure(plausible[row], name) for name in self._measures]
            person = self._people.setdefault(track, _Person())
            person.rows.append((now, np.concatenate([plausible[row, columns], measures])))
            while person.rows[0][0] < now - self._keep:
                person.rows.popleft()
        for event in events:
            if event.cycle:
                self._people[event.track].waiting.append(event)
        done = []
        for track, person in list(self._people.items()):
            ready = [event for event in person.waiting if event.time + SETTLE_SECONDS < now]
            done += [self._described(person, event) for event in ready]
            person.waiting = [event for event in person.waiting if event not in ready]
            if person.rows[-1][0] < now - FORGET_SECONDS:
                del self._people[track]
        return done

    def finish(self) -> list[Repetition]:
        """Return the repetitions at the end of the run, and forget all people."""
        done = [self._described(person, event) for person in self._people.values() for event in person.waiting]
        self._people.clear()
        return sorted(done, key=lambda one: one.end)

    def _described(self, person: _Person, event: Event) -> Repetition:
        assert event.cycle
        cycle, exercise = event.cycle, self._exercises[event.event]
        times = np.array([time for time, _ in person.rows])
        table = np.array([values for _, values in person.rows])
        measure = table[:, 2 * len(JOINTS) + self._measures.index(exercise.measure)]
        start, bottom, end, depth = _phases(times, measure, exercise, cycle)
        inside = (times >= start) & (times <= end)
        angles, qualities = table[inside, : len(JOINTS)], table[inside, len(JOINTS) : 2 * len(JOINTS)]
        ranges = np.array([range_of_motion(times[inside], angle) for angle in angles.T])
        there, back = bottom - start, end - bottom
        last = person.bottoms.get(exercise.name, -math.inf)
        person.bottoms[exercise.name] = bottom
        return Repetition(
            track=event.track,
            exercise=exercise.name,
            number=int(event.value),
            start=start,
            bottom=bottom,
            end=end,
            eccentric=there if exercise.is_eccentric_first else back,
            concentric=back if exercise.is_eccentric_first else there,
            tempo=60 / (bottom - last) if bottom - last <= 2 * exercise.longest else math.nan,
            measure=exercise.measure,
            depth=depth,
            ranges=ranges,
            asymmetry=asymmetry_index(ranges[::2], ranges[1::2]),
            qualities=np.nan_to_num(qualities).mean(0),
            quality=cycle.quality,
            confidence=event.confidence,
        )


def range_of_motion(times: Array, degrees: Array) -> float:
    """Return the range of an angle (T,) in degrees, circular and smoothed; NaN if under half of it is known."""
    if np.isfinite(degrees).mean() < 0.5:
        return math.nan
    _, values = resample(times, unwrapped(degrees))
    smoothed = smooth(values, _SMOOTH)
    return float(np.nanmax(smoothed) - np.nanmin(smoothed)) if np.isfinite(smoothed).any() else math.nan


def _phases(times: Array, measure: Array, exercise: Exercise, cycle: Cycle) -> tuple[float, float, float, float]:
    """Return start, bottom and end in seconds, and the depth."""
    near = (times >= cycle.left - SETTLE_SECONDS) & (times <= cycle.back + SETTLE_SECONDS)
    straight = np.array([exercise.straight(value) for value in measure[near].tolist()])
    if exercise.measure in (*_DROPS, *_RAISES):  # to the angle, which changes evenly with the joints
        straight = exercise.sign * np.degrees(np.arccos(np.clip(-exercise.sign * straight, -1, 1)))
    grid, values = resample(times[near], straight)
    smoothed = smooth(values, _SMOOTH)
    middle = (grid >= cycle.left) & (grid <= cycle.back) & np.isfinite(smoothed)
    peak = int(np.flatnonzero(middle)[smoothed[middle].argmax()])
    start = _began(grid[: peak + 1], smoothed[: peak + 1], cycle.left)
    end = -_began(-grid[peak:][::-1], smoothed[peak:][::-1], -cycle.back)
    depth = exercise.sign * float(smoothed[peak])
    return start, float(grid[peak]), end, 180 - depth if exercise.measure in _DROPS else depth


def _began(times: Array, values: Array, left: float) -> float:
    """Return when a movement to the last value began, seconds, not before its rest.

    Near its rest a body that accelerates evenly has moved by the square of the time. So the root of the way is a line
    in time, and the beginning is where it meets zero.
    """
    before = (times <= left) & np.isfinite(values)
    rest = float(np.percentile(values[before], _REST)) if before.any() else float(np.nanmin(values))
    share = (values - rest) / max(float(values[-1]) - rest, 1e-9)
    low, high = (float(times[np.flatnonzero(~(share > level))[-1]]) for level in (_LOW, _HIGH))
    slow = (math.sqrt(_HIGH) - math.sqrt(_LOW)) / max(high - low, 1e-9)
    return max(low - math.sqrt(_LOW) / slow, float(times[0]))
