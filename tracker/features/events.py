"""Detect events in the features of each frame: steps, repetitions, raised hands and falls."""

from __future__ import annotations

import math
from collections import Counter as Counts
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .angles import mean_angle, period_of
from .gait import LEGS, UPRIGHT, Gait
from .repetitions import EXERCISES, Counter, Repetition
from .stream import FORGET_SECONDS, ActionFeatures, Features

HANDS = ("left_hand_raised", "right_hand_raised")
RAISED, LOWERED = 0.02, -0.05  # body heights of the wrist above the ears
HOLD_SECONDS = 0.7  # minimum duration of a raised hand; longer than in a jumping jack
BRIDGE_SECONDS = 0.25  # how long a missing measure keeps its last value
EVENT_COLUMNS = {
    "time_s": "when it happened, seconds",
    "frame": "the same as a frame's number",
    "track_id": "who did it",
    "event": "its name",
    "value": "see values; empty where there is none",
    "unit": "of the value",
    "confidence": "0 to 1",
}
FALL_SPEED = 0.8  # body heights per second, descent of the trunk; sitting down reaches 0.5, lying down less
FALL_SECONDS = 1.5  # from upright to lying
LIES_SECONDS = 0.4  # minimum time of lying after a fall
_EVENT_MEASURES = ("stride", "lift", "trunk_rise", "thigh_drop", "left_hand_rise", "right_hand_rise", "descent_bh_s")
VALUES = {  # meaning of the column `value` for each event
    "step": "cadence, steps a minute; empty for the first step of a walk",
    **{f"{side}_hand_raised": "how many times this person raised that hand" for side in ("left", "right")},
    "fall": "fastest descent of the trunk, body heights a second",
}
UNITS = {"step": "steps/min", "fall": "bh/s"}  # of the values; those of all other events are counts
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Event:
    """An action of one person.

    Attributes:
        time: seconds.
        frame: number of the frame.
        track: id of the person.
        event: name of the event.
        value: see `VALUES`; NaN if there is none.
        confidence: in [0, 1].
    """

    time: float
    frame: int
    track: int
    event: str
    value: float
    confidence: float


class _History:
    """State of the event detection for one person."""

    def __init__(self, repetitions: Sequence[Repetition]) -> None:
        self.counters = [Counter(repetition) for repetition in repetitions]
        self.gait = Gait()
        self.raised: list[tuple[float, int] | None] = [None, None]  # time and frame from which each hand is up
        self.reported = [False, False]
        self.upright = -math.inf  # seconds
        self.descents: deque[tuple[float, float]] = deque()
        self.lies: tuple[float, int] | None = None  # time and frame from which the person lies
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
        repetitions: repetitions to count in addition to squats, push-ups and jumping jacks.

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

    def __init__(self, actions: ActionFeatures, *, repetitions: Sequence[Repetition] = ()) -> None:
        self._repetitions = (*EXERCISES, *repetitions)
        names = tuple(actions.columns)
        self._columns = {name: (_columns(names, name), period_of(name)) for name in self._asked()}
        self._people: dict[int, _History] = {}

    def _asked(self) -> set[str]:
        counted = {repetition.measure for repetition in self._repetitions}
        return (
            counted | {gate for repetition in self._repetitions for gate, *_ in repetition.gates} | set(_EVENT_MEASURES)
        )

    def values(self) -> dict[str, str]:
        """Return the meaning of each event's value."""
        return VALUES | {one.name: "how many times this person did it" for one in self._repetitions}

    def counts(self, track: int) -> dict[str, int]:
        """Return a person's number of events so far, by name."""
        return dict(self._people[track].counts) if track in self._people else {}

    def update(self, features: Features) -> list[Event]:
        """Process one frame and return the events detected in it; an event may have happened shortly before."""
        events: list[Event] = []
        for row, track in enumerate(features.ids.tolist()):
            if not features.views[row]:
                continue  # not measured in this frame
            person = self._people.setdefault(track, _History(self._repetitions))
            person.seen = features.time
            values = features.values[row]
            means = {name: _mean(values[columns], period) for name, (columns, period) in self._columns.items()}
            at = person.bridged(features.time, means)
            moment = features.time, features.frame
            found = [
                *self._counted(person, moment, at),
                *_steps(person, moment, at, view=features.views[row]),
                *_hands(person, moment, at),
                *_falls(person, moment, at, posture=features.postures[row]),
            ]
            for time, frame, name, value, confidence in found:
                person.counts[name] += 1
                reported = person.counts[name] if value is None else value
                events.append(Event(time, frame, track, name, reported, confidence))
        for track in [i for i, person in self._people.items() if person.seen < features.time - FORGET_SECONDS]:
            del self._people[track]
        return events

    def reset(self) -> None:
        """Forget all people."""
        self._people.clear()

    def _counted(self, person: _History, moment: tuple[float, int], at: dict[str, float]) -> list[_Found]:
        found: list[_Found] = []
        for repetition, counter in zip(self._repetitions, person.counters):
            gates = tuple(at[gate] for gate, *_ in repetition.gates)
            confidence = counter.update(moment[0], at[repetition.measure], gates)
            if confidence is not None:
                found.append((*moment, repetition.name, None, confidence))
        return found


_Found = tuple[float, int, str, float | None, float]  # seconds, frame, name, value (None: the count), confidence


def _steps(person: _History, moment: tuple[float, int], at: dict[str, float], *, view: str) -> list[_Found]:
    upright = at["trunk_rise"] > UPRIGHT and at["thigh_drop"] > LEGS
    sideways = view in ("left", "right")
    step = person.gait.update(*moment, stride=at["stride"], lift=at["lift"], sideways=sideways, upright=upright)
    return [] if step is None else [(step[0], step[1], "step", step[2], step[3])]


def _hands(person: _History, moment: tuple[float, int], at: dict[str, float]) -> list[_Found]:
    found: list[_Found] = []
    for hand, name in enumerate(HANDS):
        rise = at[name.replace("raised", "rise")]
        if rise < LOWERED or at["trunk_rise"] < UPRIGHT:
            person.raised[hand], person.reported[hand] = None, False
        elif rise > RAISED:
            since = person.raised[hand] = person.raised[hand] or moment
            if moment[0] - since[0] >= HOLD_SECONDS and not person.reported[hand]:
                person.reported[hand] = True
                found.append((*since, name, None, min(1.0, 0.5 + 5 * rise)))
    return found


def _falls(person: _History, moment: tuple[float, int], at: dict[str, float], *, posture: str) -> list[_Found]:
    """Detect a person who was upright, came down fast, and lies."""
    time = moment[0]
    if not math.isnan(at["descent_bh_s"]):
        person.descents.append((time, at["descent_bh_s"]))
    while person.descents and person.descents[0][0] < time - FALL_SECONDS - LIES_SECONDS:
        person.descents.popleft()
    if not posture:
        return []
    if posture != "lying":
        person.lies = None
        if at["trunk_rise"] > 0.6 and at["thigh_drop"] > LEGS:
            person.upright = time
        return []
    person.lies = person.lies or moment
    since, frame = person.lies
    if time - since < LIES_SECONDS or since - person.upright > FALL_SECONDS:
        return []
    person.upright = -math.inf  # once
    fastest = max((speed for _, speed in person.descents), default=0.0)
    return [(since, frame, "fall", fastest, min(1.0, fastest / (2 * FALL_SPEED)))] if fastest >= FALL_SPEED else []


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
