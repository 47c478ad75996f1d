"""Detect events in the features of each frame: steps, repetitions, raised hands and falls."""

from __future__ import annotations

import math
from collections import Counter as Counts
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..extraction.stream import FORGET_SECONDS, ActionFeatures, Features
from ..kinematics.angles import mean_angle, period_of
from .confidence import confidence
from .repetitions import EXERCISES, Counter, Cycle, Exercise
from .steps import LEGS, UPRIGHT, Walk

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
SEAT_SECONDS, RISEN_SECONDS = 1.0, 2.0  # at rest with level thighs: seated; upright until a bend is a squat again
_STRAIGHT = 0.78  # thigh_drop of legs that stand; a squat is over here
_SEAT, _STILL, _CALM = 0.5, 0.1, 0.3  # thigh_drop; body heights per second, averaged over so many seconds
SEATED, CROUCHED, STAGGERED = "seated", "crouched", "staggered"  # gates of exercises, not columns, see `_gates`
_APART = 0.3  # body heights between the feet in side views; from 0.35 in a lunge, up to 0.25 in a squat
_EVENT_MEASURES = (
    *("com_x", "height_px", "pose_score"),
    *(f"{side}_{name}_score" for name in ("ankle", "wrist") for side in ("left", "right")),
    *(
        "stride",
        "spread",
        "thigh_split",
        "lift",
        "trunk_rise",
        "thigh_drop",
        "left_hand_rise",
        "right_hand_rise",
        "descent_bh_s",
    ),
)
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
        cycle: times of a repetition; None for other events.
    """

    time: float
    frame: int
    track: int
    event: str
    value: float
    confidence: float
    cycle: Cycle | None = None


class _History:
    """State of the event detection for one person."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self.counters = [Counter(exercise) for exercise in exercises]
        self.walk = Walk()
        self.seat = Seat()
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
        repetitions: exercises to count in addition to `EXERCISES`; one of the same name replaces that one.

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
        self._people: dict[int, _History] = {}

    def _asked(self) -> set[str]:
        gates = {gate for one in self.exercises for gate, *_ in (*one.gates, *one.rest_gates)}
        return {one.measure for one in self.exercises} | gates - {SEATED, CROUCHED, STAGGERED} | set(_EVENT_MEASURES)

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
            person = self._people.setdefault(track, _History(self.exercises))
            person.seen = features.time
            values = plausible[row]
            means = {name: self.measure(values, name) for name in self._columns}
            at = person.bridged(features.time, means)
            at |= _gates(person.seat, features.time, at, view=features.views[row])
            moment = features.time, features.frame
            found = [
                *self._counted(person, moment, at, values),
                *_steps(person, moment, at, view=features.views[row]),
                *_hands(person, moment, at),
                *_falls(person, moment, at, posture=features.postures[row]),
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
        self, person: _History, moment: tuple[float, int], at: dict[str, float], values: np.ndarray
    ) -> list[_Found]:
        found: list[_Found] = []
        for exercise, counter in zip(self.exercises, person.counters):
            quality = float(values[self._qualities[exercise.name]].mean())
            cycle = counter.update(moment[0], at[exercise.measure], at, quality)
            if cycle is not None:
                found.append(_Found(*moment, exercise.name, None, cycle.margin, cycle.quality, cycle))
        return found


@dataclass(frozen=True, slots=True)
class _Found:
    time: float
    frame: int
    event: str
    value: float | None  # None: the count
    margin: float  # beyond the least that counts; 0: just reached, 1: twice as much
    quality: float
    cycle: Cycle | None = None


class Seat:
    """Know whether one person uses a seat: from sitting still until standing for a while."""

    def __init__(self) -> None:
        self._since, self._seated, self._level = math.nan, False, False
        self._last, self._speed = math.nan, 0.0

    def update(self, time: float, thigh_drop: float, descent: float) -> float:
        """Process a frame's thigh_drop and descent (body heights/s); return 1 while a seat is used, otherwise 0."""
        level = thigh_drop < _SEAT
        if not math.isnan(descent) and time > self._last:
            self._speed += (1 - math.exp((self._last - time) / _CALM)) * (descent - self._speed)
        self._last = time
        moves = level and abs(self._speed) > _STILL
        if math.isnan(self._since) or level != self._level or moves:
            self._since, self._level = time, level
        if time - self._since >= (SEAT_SECONDS if level else RISEN_SECONDS):
            self._seated = level
        return float(self._seated)


def _gates(seat: Seat, time: float, at: dict[str, float], *, view: str) -> dict[str, float]:
    """Return the gates of exercises that are no measures.

    `seated` is 1 while a seat is used, and `crouched` 1 while the legs are bent without one. `staggered` is 1 while one
    foot is far in front of the other, in side views by the feet, because knees hide each other there, and otherwise the
    difference of the thighs.
    """
    seated = seat.update(time, at["thigh_drop"], at["descent_bh_s"])
    staggered = 1.0 if view in ("right", "left") and at["spread"] > _APART else at["thigh_split"]
    return {
        SEATED: seated,
        CROUCHED: float(at["thigh_drop"] < _STRAIGHT and not seated),
        STAGGERED: staggered,
    }


def _steps(person: _History, moment: tuple[float, int], at: dict[str, float], *, view: str) -> list[_Found]:
    steps = person.walk.update(
        *moment,
        stride=at["stride"],
        lift=at["lift"],
        place=at["com_x"] / at["height_px"],
        sideways=view in ("left", "right"),
        upright=at["trunk_rise"] > UPRIGHT and at["thigh_drop"] > LEGS,
    )
    feet = min(at["left_ankle_score"], at["right_ankle_score"])
    return [_Found(one.time, one.frame, "step", one.cadence, one.margin - 1, feet * one.evenness) for one in steps]


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
                quality = at[f"{name.partition('_')[0]}_wrist_score"]
                found.append(_Found(*since, name, None, rise / RAISED - 1, quality))
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
    if fastest < FALL_SPEED:
        return []
    return [_Found(since, frame, "fall", fastest, fastest / FALL_SPEED - 1, at["pose_score"])]


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
