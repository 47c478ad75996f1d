"""What happens: steps, repetitions, raised hands and falls, from the features of each frame."""

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
HOLD_SECONDS = 0.7  # for which a hand must be up; longer than in a jumping jack
BRIDGE_SECONDS = 0.25  # for which a measure that is not known stays as it was
EVENT_COLUMNS = {
    "time_s": "when it happened, seconds",
    "frame": "the same as a frame's number",
    "track_id": "who did it",
    "event": "its name",
    "value": "see values; empty where there is none",
    "confidence": "0 to 1",
}
FALL_SPEED = 0.8  # body heights a second that the trunk comes down; sitting down takes 0.5, lying down less
FALL_SECONDS = 1.5  # from upright to lying
LIES_SECONDS = 0.4  # for which somebody must lie
_EVENT_MEASURES = ("stride", "lift", "trunk_rise", "thigh_drop", "left_hand_rise", "right_hand_rise", "descent_bh_s")
VALUES = {  # what the column `value` says
    "step": "cadence, steps a minute; empty for the first step of a walk",
    **{f"{side}_hand_raised": "how many times this person raised that hand" for side in ("left", "right")},
    "fall": "fastest descent of the trunk, body heights a second",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody did.

    Attributes:
        time: seconds.
        frame: its number.
        track: id of the person.
        event: its name.
        value: see `VALUES`; NaN where there is none.
        confidence: in [0, 1].
    """

    time: float
    frame: int
    track: int
    event: str
    value: float
    confidence: float


class _Watched:
    """What is remembered of one person."""

    def __init__(self, repetitions: Sequence[Repetition]) -> None:
        self.counters = [Counter(repetition) for repetition in repetitions]
        self.gait = Gait()
        self.raised: list[tuple[float, int] | None] = [None, None]  # since when each hand is up
        self.told = [False, False]
        self.upright = -math.inf  # seconds
        self.descents: deque[tuple[float, float]] = deque()
        self.lies: tuple[float, int] | None = None  # since when
        self.counts: Counts[str] = Counts()
        self.known: dict[str, tuple[float, float]] = {}  # seconds and value of each measure
        self.seen = -math.inf

    def bridged(self, time: float, values: dict[str, float]) -> dict[str, float]:
        """Fill in what is not known in this frame but was shortly before."""
        for name, value in values.items():
            if not math.isnan(value):
                self.known[name] = time, value
            elif time - self.known.get(name, (-math.inf, 0.0))[0] <= BRIDGE_SECONDS:
                values[name] = self.known[name][1]
        return values


class EventDetector:
    """Find events in the features of frames, in their order.

    Args:
        actions: what computes the features.
        repetitions: what is counted, beside squats, push-ups and jumping jacks.
    """

    def __init__(self, actions: ActionFeatures, *, repetitions: Sequence[Repetition] = ()) -> None:
        self._repetitions = (*EXERCISES, *repetitions)
        names = tuple(actions.columns)
        self._columns = {name: (_columns(names, name), period_of(name)) for name in self._asked()}
        self._people: dict[int, _Watched] = {}

    def _asked(self) -> set[str]:
        counted = {repetition.measure for repetition in self._repetitions}
        return (
            counted | {gate for repetition in self._repetitions for gate, *_ in repetition.gates} | set(_EVENT_MEASURES)
        )

    def values(self) -> dict[str, str]:
        """Return what the value of each event says."""
        return VALUES | {one.name: "how many times this person did it" for one in self._repetitions}

    def counts(self, track: int) -> dict[str, int]:
        """Return how many of each event a person had so far."""
        return dict(self._people[track].counts) if track in self._people else {}

    def update(self, features: Features) -> list[Event]:
        """Take one frame; return what is found to have happened, then or shortly before."""
        events: list[Event] = []
        for row, track in enumerate(features.ids.tolist()):
            if not features.views[row]:
                continue  # nobody saw the person
            person = self._people.setdefault(track, _Watched(self._repetitions))
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
                told = person.counts[name] if value is None else value
                events.append(Event(time, frame, track, name, told, confidence))
        for track in [i for i, person in self._people.items() if person.seen < features.time - FORGET_SECONDS]:
            del self._people[track]
        return events

    def reset(self) -> None:
        """Forget everybody."""
        self._people.clear()

    def _counted(self, person: _Watched, moment: tuple[float, int], at: dict[str, float]) -> list[_Found]:
        found: list[_Found] = []
        for repetition, counter in zip(self._repetitions, person.counters):
            gates = tuple(at[gate] for gate, *_ in repetition.gates)
            confidence = counter.update(moment[0], at[repetition.measure], gates)
            if confidence is not None:
                found.append((*moment, repetition.name, None, confidence))
        return found


_Found = tuple[float, int, str, float | None, float]  # seconds, frame, name, value (None: the count), confidence


def _steps(person: _Watched, moment: tuple[float, int], at: dict[str, float], *, view: str) -> list[_Found]:
    upright = at["trunk_rise"] > UPRIGHT and at["thigh_drop"] > LEGS
    sideways = view in ("left", "right")
    step = person.gait.update(*moment, stride=at["stride"], lift=at["lift"], sideways=sideways, upright=upright)
    return [] if step is None else [(step[0], step[1], "step", step[2], step[3])]


def _hands(person: _Watched, moment: tuple[float, int], at: dict[str, float]) -> list[_Found]:
    found: list[_Found] = []
    for hand, name in enumerate(HANDS):
        rise = at[name.replace("raised", "rise")]
        if rise < LOWERED or at["trunk_rise"] < UPRIGHT:
            person.raised[hand], person.told[hand] = None, False
        elif rise > RAISED:
            since = person.raised[hand] = person.raised[hand] or moment
            if moment[0] - since[0] >= HOLD_SECONDS and not person.told[hand]:
                person.told[hand] = True
                found.append((*since, name, None, min(1.0, 0.5 + 5 * rise)))
    return found


def _falls(person: _Watched, moment: tuple[float, int], at: dict[str, float], *, posture: str) -> list[_Found]:
    """Somebody was upright, came down fast, and lies."""
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
    """Return the columns of a measure: one, or both sides'."""
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
    """Return the mean of what is known, NaN where nothing is; of angles the circular one."""
    if period is not None:
        return mean_angle(values, period)
    known = [value for value in values.tolist() if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
