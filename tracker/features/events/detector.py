"""Detect events in the features of each frame: steps, repetitions, raised hands and falls."""

from __future__ import annotations

import math
from collections import Counter as Counts
from collections.abc import Sequence

import numpy as np

from ..extraction.features import Features
from ..extraction.stream import FORGET_SECONDS, ActionFeatures
from ..kinematics.angles import mean_angle, period_of
from .confidence import confidence
from .event import VALUES, Event, Found
from .falls import Falls
from .gates import GATES, Seat, gates
from .hands import RaisedHands
from .repetitions import EXERCISES, Counter, Exercise
from .steps import LEGS, UPRIGHT, Walk

BRIDGE_SECONDS = 0.25  # how long a missing measure keeps its last value
_MEASURES = {
    *("com_x", "height_px", "pose_score", "stride", "spread", "thigh_split", "lift", "trunk_rise", "thigh_drop"),
    *("left_hand_rise", "right_hand_rise", "descent_bh_s"),
    *(f"{side}_{name}_score" for name in ("ankle", "wrist") for side in ("left", "right")),
}


class _Person:
    """State of the event detection for one person."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self.counters = [Counter(exercise) for exercise in exercises]
        self.walk = Walk()
        self.seat = Seat()
        self.hands = RaisedHands()
        self.falls = Falls()
        self.counts: Counts[str] = Counts()
        self.known: dict[str, tuple[float, float]] = {}  # last time and value of each measure
        self.seen = -math.inf

    def bridged(self, time: float, values: dict[str, float]) -> dict[str, float]:
        """Replace missing values by those of up to `BRIDGE_SECONDS` ago, in place."""
        for name, value in values.items():
            if not math.isnan(value):
                self.known[name] = time, value
            elif time - self.known.get(name, (-math.inf, 0.0))[0] <= BRIDGE_SECONDS:
                values[name] = self.known[name][1]
        return values


class EventDetector:
    """Detect events in the features of consecutive frames.

    Args:
        actions: computes the features.
        repetitions: exercises to count in addition to `EXERCISES`; one of the same name replaces that one.

    Examples:
        >>> import posetrack
        >>> actions = posetrack.ActionFeatures()
        >>> events = posetrack.EventDetector(actions)
        >>> for frame, tracks in posetrack.track("video.mp4"):
        ...     for row in actions.update(frame.index, frame.time, tracks):
        ...         for event in events.update(row):
        ...             print(event.time, event.track, event.event, event.value)
        >>> events.counts(1).get("squat", 0)
        0
    """

    def __init__(self, actions: ActionFeatures, *, repetitions: Sequence[Exercise] = ()) -> None:
        self.exercises = tuple({one.name: one for one in (*EXERCISES, *repetitions)}.values())
        names = tuple(actions.columns)
        self._columns = {name: (_columns(names, name), period_of(name)) for name in self._asked()}
        self._qualities = {one.name: _qualities(names, one.measure) for one in self.exercises}
        self._people: dict[int, _Person] = {}

    def _asked(self) -> set[str]:
        gates = {gate for one in self.exercises for gate, *_ in (*one.gates, *one.rest_gates)}
        return {one.measure for one in self.exercises} | gates - GATES | _MEASURES

    def measure(self, values: np.ndarray, name: str) -> float:
        """Return a measure of an exercise from one person's row of features (C,): the mean of both sides."""
        columns, period = self._columns[name]
        return _mean(values[columns], period)

    def values(self) -> dict[str, str]:
        """Return the meaning of each event's value."""
        return VALUES | {one.name: "how many times this person did it" for one in self.exercises}

    def counts(self, track: int) -> dict[str, int]:
        """Return a person's number of events so far, by name."""
        return dict(self._people[track].counts) if track in self._people else {}

    def update(self, features: Features) -> list[Event]:
        """Process one frame and return the events detected in it; an event may have happened shortly before."""
        events: list[Event] = []
        plausible = features.plausible
        for row, track in enumerate(features.ids.tolist()):
            if not features.views[row]:
                continue  # not measured in this frame
            person = self._people.setdefault(track, _Person(self.exercises))
            person.seen = features.time
            values = plausible[row]
            means = {name: self.measure(values, name) for name in self._columns}
            at = person.bridged(features.time, means)
            at |= gates(person.seat, features.time, at, view=features.views[row])
            moment = features.time, features.frame
            found = [
                *self._counted(person, moment, at, values),
                *_steps(person, moment, at, view=features.views[row]),
                *person.hands.update(*moment, at),
                *person.falls.update(*moment, at, posture=features.postures[row]),
            ]
            for one in found:
                person.counts[one.event] += 1
                value = person.counts[one.event] if one.value is None else one.value
                likely = confidence(one.event, margin=one.margin, quality=one.quality)
                events.append(Event(one.time, one.frame, track, one.event, value, likely, one.cycle))
        for track in [i for i, person in self._people.items() if person.seen < features.time - FORGET_SECONDS]:
            del self._people[track]
        return events

    def reset(self) -> None:
        """Forget all people."""
        self._people.clear()

    def _counted(
        self, person: _Person, moment: tuple[float, int], at: dict[str, float], values: np.ndarray
    ) -> list[Found]:
        found: list[Found] = []
        for exercise, counter in zip(self.exercises, person.counters):
            quality = float(values[self._qualities[exercise.name]].mean())
            cycle = counter.update(moment[0], at[exercise.measure], at, quality)
            if cycle is not None:
                found.append(Found(*moment, exercise.name, None, cycle.margin, cycle.quality, cycle))
        return found


def _steps(person: _Person, moment: tuple[float, int], at: dict[str, float], *, view: str) -> list[Found]:
    steps = person.walk.update(
        *moment,
        stride=at["stride"],
        lift=at["lift"],
        place=at["com_x"] / at["height_px"],
        sideways=view in ("left", "right"),
        upright=at["trunk_rise"] > UPRIGHT and at["thigh_drop"] > LEGS,
    )
    feet = min(at["left_ankle_score"], at["right_ankle_score"])
    return [Found(one.time, one.frame, "step", one.cadence, one.margin - 1, feet * one.evenness) for one in steps]


def _qualities(names: Sequence[str], measure: str) -> list[int]:
    """Return the columns of a measure's quality: those of an angle, otherwise the score of the pose."""
    columns = (f"{measure}_quality", f"left_{measure}_quality", f"right_{measure}_quality", "pose_score")
    present = [column for column in columns if column in names]
    return [list(names).index(column) for column in present[: -1 if len(present) > 1 else None]]


def _columns(names: Sequence[str], name: str) -> list[int]:
    """Return the columns of a measure: one column, or those of both sides."""
    for candidates in (
        (name,),
        (f"{name}_deg",),
        (f"left_{name}", f"right_{name}"),
        (f"left_{name}_deg", f"right_{name}_deg"),
    ):
        if all(candidate in names for candidate in candidates):
            return [list(names).index(candidate) for candidate in candidates]
    raise ValueError(f"There is no measure '{name}' among the features.")


def _mean(values: np.ndarray, period: float | None) -> float:
    """Return the mean of the known values, circular for angles; NaN if none is known."""
    if period is not None:
        return mean_angle(values, period)
    known = [value for value in values.tolist() if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
