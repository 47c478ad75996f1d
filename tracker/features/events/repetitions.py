"""Count repetitions: a measure that leaves its rest value, passes a threshold, and returns."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....errors import UsageError
from ....numeric import is_number
from ..kinematics.angles import ANGLES, period_of, wrap
from ..kinematics.body import MEASURES

Gate = tuple[str, float, float]  # measure, minimum, maximum


@dataclass(frozen=True, slots=True)
class Exercise:
    """Definition of one kind of repetition.

    Attributes:
        name: name of the event.
        measure: an angle ("left_knee") or a measure ("thigh_drop") of the feature table; without its side ("knee"),
            the mean of both.
        low: lower threshold; values below it are at rest, or fully extended if `rest` is "high".
        high: upper threshold; values above it are fully extended, or at rest if `rest` is "high".
        rest: "low" or "high".
        gates: all must hold for the means over the frames beyond the far threshold.
        rest_gates: all must hold where the measure leaves its rest and where it is back.
        shortest: minimum seconds away from rest.
        longest: maximum seconds away from rest.
        eccentric_first: whether the muscles lengthen on the way from rest, as in a squat. None: if `rest` is "high".
    """

    name: str
    measure: str
    low: float
    high: float
    rest: str = "low"
    gates: tuple[Gate, ...] = ()
    rest_gates: tuple[Gate, ...] = ()
    shortest: float = 0.3
    longest: float = 6.0
    eccentric_first: bool | None = None

    @property
    def sign(self) -> float:
        """1 if the measure grows on the way from rest, otherwise -1."""
        return 1.0 if self.rest == "low" else -1.0

    @property
    def is_eccentric_first(self) -> bool:
        """Whether the way from rest is the eccentric phase."""
        return self.rest == "high" if self.eccentric_first is None else self.eccentric_first

    def straight(self, value: float) -> float:
        """Return a value of the measure on a scale that grows from rest; an angle jumps far from both thresholds."""
        period, middle = period_of(self.measure), (self.low + self.high) / 2
        if period is not None:
            value = middle + float(wrap(np.array(value - middle), period))
        return self.sign * value


@dataclass(frozen=True, slots=True)
class Cycle:
    """One counted repetition.

    Attributes:
        left: seconds, when the measure was at rest for the last time.
        peak: seconds, when it was farthest from rest.
        back: seconds, when it was at rest again.
        margin: how far it went beyond its threshold, as a share of the distance between the thresholds.
        quality: mean quality of the measure over all frames; 0 in frames in which it is unknown.
    """

    left: float
    peak: float
    back: float
    margin: float
    quality: float


LEAST_KNOWN = 0.5  # minimum share of a repetition's frames in which its measure is known
LEAST_QUALITY = 0.2  # of the measure; an elbow that bends towards the camera has 0.1, one that is seen well 0.5 or more
_UPRIGHT = ("trunk_rise", 0.6, math.inf)
_ON_HANDS = (
    ("trunk_rise", -0.3, 0.65),
    ("thigh_drop", -0.5, 0.75),
    ("shank_drop", -0.5, 0.5),
    ("hand_height", -math.inf, 0.3),
)
EXERCISES = (
    Exercise(
        "squat",
        "thigh_drop",
        low=0.5,
        high=0.78,
        rest="high",
        gates=(
            ("trunk_rise", 0.4, math.inf),
            ("shank_drop", 0.5, math.inf),
            ("staggered", 0.0, 0.25),
        ),
        rest_gates=(("seated", 0.0, 0.5),),
        shortest=0.6,
    ),
    Exercise(
        "sit_to_stand",
        "thigh_drop",
        low=0.5,
        high=0.78,
        gates=(_UPRIGHT,),
        rest_gates=(("seated", 0.5, 1.0),),
        shortest=0.6,
    ),
    Exercise(
        "lunge",
        "hip_height",
        low=0.36,
        high=0.41,
        rest="high",
        gates=(_UPRIGHT, ("staggered", 0.35, math.inf)),
        shortest=0.6,
    ),
    Exercise(
        "push_up",
        "elbow_drop",
        low=0.62,
        high=0.78,
        rest="high",
        gates=_ON_HANDS,
        rest_gates=_ON_HANDS,  # who falls or gets up does not begin and end on straight arms
    ),
    Exercise(
        "jumping_jack",
        "arm_raise",
        low=-0.4,
        high=0.4,
        gates=(("spread", 0.2, math.inf), _UPRIGHT),
        shortest=0.4,
        longest=3.0,
    ),
    Exercise(
        "curl",
        "arm_raise",
        low=-0.85,
        high=-0.58,
        gates=(_UPRIGHT, ("arm_raise", -math.inf, 0.25), ("elbow_drop", 0.6, math.inf), ("crouched", 0.0, 0.5)),
        shortest=0.5,
    ),
    Exercise(
        "shoulder_press",
        "elbow",
        low=50.0,
        high=85.0,
        rest="high",
        gates=(_UPRIGHT, ("arm_raise", 0.6, math.inf)),
        rest_gates=(("arm_raise", -0.5, 0.75),),
        shortest=0.5,
        eccentric_first=False,
    ),
)


@dataclass(slots=True)
class _Mean:
    """Mean of the known values; NaN without any. Someone may stay beyond a threshold for hours."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        if not math.isnan(value):
            self.total += value
            self.count += 1

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else math.nan


class Counter:
    """Count the repetitions of one person.

    Args:
        exercise: what to count.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._what = exercise
        near, far = (exercise.low, exercise.high)[:: int(exercise.sign)]
        self._near, self._far = exercise.sign * near, exercise.sign * far
        self._left = math.nan  # seconds, when the measure left its rest
        self._peak, self._when, self._began_well = -math.inf, math.nan, False
        self._beyond = [_Mean() for _ in exercise.gates]  # of the gates beyond the far threshold
        self._known = self._asked = 0
        self._quality = 0.0

    def update(self, time: float, value: float, gates: Mapping[str, float], quality: float = 1.0) -> Cycle | None:
        """Process a measure, its quality in [0, 1] and its gates by name at a time in seconds; return a whole cycle."""
        self._asked += 1
        if math.isnan(value):
            return None
        self._known += 1
        self._quality += quality
        value = self._what.straight(value)
        if value <= self._near:
            rests_well = _hold(self._what.rest_gates, gates)
            done = self._ended(time) if rests_well and self._began_well else None
            self._left, self._peak, self._beyond = time, -math.inf, [_Mean() for _ in self._what.gates]
            self._known, self._asked, self._quality = 0, 0, 0.0
            self._began_well = rests_well
            return done
        if value > self._peak:
            self._peak, self._when = value, time
        if value >= self._far:
            for (name, _, _), mean in zip(self._what.gates, self._beyond):
                mean.add(gates[name])
        return None

    def _fits(self) -> bool:
        return all(low <= mean.value <= high for (_, low, high), mean in zip(self._what.gates, self._beyond))

    def _ended(self, time: float) -> Cycle | None:
        """Return the repetition; None if it did not reach its threshold, or was none."""
        if self._peak < self._far or not self._fits() or self._known < LEAST_KNOWN * self._asked:
            return None
        if not self._what.shortest <= time - self._left <= self._what.longest:
            return None
        quality = self._quality / self._asked
        if quality < LEAST_QUALITY:
            return None
        margin = (self._peak - self._far) / (self._far - self._near)
        return Cycle(self._left, self._when, time, margin, quality)


def _hold(gates: tuple[Gate, ...], values: Mapping[str, float]) -> bool:
    return all(low <= values[name] <= high for name, low, high in gates)


def from_config(tables: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """Parse the tables `[repetitions.NAME]` of a recipe: angle, low, high, and optionally rest.

    Raises:
        UsageError: a key, a name or a value is invalid.
    """
    return tuple(_from_table(name, table) for name, table in tables.items())


def _from_table(name: str, table: Any) -> Exercise:
    where = f"[repetitions.{name}]"
    if not isinstance(table, dict) or not {"angle", "low", "high"} <= set(table) <= {"angle", "low", "high", "rest"}:
        raise UsageError(f'{where} must have angle, low and high, and may have rest = "high". Give these keys.')
    angle, low, high, rest = table["angle"], table["low"], table["high"], table.get("rest", "low")
    known = {*ANGLES, *MEASURES}
    known |= {one.removeprefix("left_") for one in known if one.startswith("left_")}
    if angle not in known:
        near = difflib.get_close_matches(str(angle), known, n=1)
        hint = f"Did you mean {near[0]}?" if near else "docs/repetitions.md lists the names."
        raise UsageError(f"{where} has the unknown angle {angle!r}. {hint}")
    if not all(map(is_number, (low, high))) or not low < high:
        raise UsageError(f"{where} has low = {low!r} and high = {high!r}; give two numbers, the lower one first.")
    if rest not in ("low", "high"):
        raise UsageError(f'{where} has rest = {rest!r}; give "low" or "high".')
    return Exercise(name, angle, float(low), float(high), rest)
