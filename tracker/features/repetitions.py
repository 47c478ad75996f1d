"""Count repetitions: a measure that leaves its rest value, passes a threshold, and returns."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import UsageError
from .angles import ANGLES, period_of, wrap
from .body import MEASURES


@dataclass(frozen=True, slots=True)
class Repetition:
    """Definition of one kind of repetition.

    Attributes:
        name: name of the event.
        measure: an angle ("left_knee") or a measure ("thigh_drop") of the feature table; without its side ("knee"),
            the mean of both.
        low: lower threshold; values below it are at rest, or fully extended if `rest` is "high".
        high: upper threshold; values above it are fully extended, or at rest if `rest` is "high".
        rest: "low" or "high".
        gates: (measure, minimum, maximum); all must hold where the measure is farthest from rest.
        shortest: minimum seconds away from rest.
        longest: maximum seconds away from rest.
    """

    name: str
    measure: str
    low: float
    high: float
    rest: str = "low"
    gates: tuple[tuple[str, float, float], ...] = ()
    shortest: float = 0.3
    longest: float = 6.0


LEAST_KNOWN = 0.5  # minimum share of a repetition's frames in which its measure is known
EXERCISES = (
    Repetition(
        "squat",
        "thigh_drop",
        low=0.5,
        high=0.78,
        rest="high",
        gates=(("trunk_rise", 0.4, math.inf), ("shank_drop", 0.5, math.inf)),
        shortest=0.6,
    ),
    Repetition(
        "push_up",
        "arm_raise",
        low=-0.75,
        high=-0.62,
        gates=(("trunk_rise", -0.3, 0.65), ("shank_drop", -0.5, 0.5), ("hand_height", -math.inf, 0.3)),
    ),
    Repetition(
        "jumping_jack",
        "arm_raise",
        low=-0.4,
        high=0.4,
        gates=(("spread", 0.2, math.inf), ("trunk_rise", 0.6, math.inf)),
        shortest=0.4,
        longest=3.0,
    ),
)


class Counter:
    """Count the repetitions of one person.

    Args:
        repetition: what to count.
    """

    def __init__(self, repetition: Repetition) -> None:
        self._what = repetition
        self._sign = 1.0 if repetition.rest == "low" else -1.0
        near, far = (repetition.low, repetition.high)[:: int(self._sign)]
        self._near, self._far = self._sign * near, self._sign * far
        self._middle, self._period = (repetition.low + repetition.high) / 2, period_of(repetition.measure)
        self._left = math.nan  # seconds, when the measure left its rest
        self._peak, self._fits = -math.inf, False
        self._known = self._asked = 0

    def update(self, time: float, value: float, gates: tuple[float, ...]) -> float | None:
        """Process the measure and its gates at a time in seconds; return the confidence of a completed repetition."""
        self._asked += 1
        if math.isnan(value):
            return None
        self._known += 1
        if self._period is not None:  # an angle jumps where it is farthest from both limits
            value = self._middle + float(wrap(np.array(value - self._middle), self._period))
        value *= self._sign
        if value <= self._near:
            confidence = self._ended(time)
            self._left, self._peak, self._fits, self._known, self._asked = time, -math.inf, False, 0, 0
            return confidence
        if value > self._peak:
            self._peak = value
            self._fits = all(low <= gate <= high for gate, (_, low, high) in zip(gates, self._what.gates))
        return None

    def _ended(self, time: float) -> float | None:
        """Return the confidence of the repetition, 0.5 if it just reached its threshold; None if it did not."""
        if self._peak < self._far or not self._fits or self._known < LEAST_KNOWN * self._asked:
            return None
        if not self._what.shortest <= time - self._left <= self._what.longest:
            return None
        beyond = (self._peak - self._far) / (self._far - self._near)
        return min(1.0, 0.5 + beyond / 2) * self._known / self._asked


def from_config(tables: Mapping[str, Any]) -> tuple[Repetition, ...]:
    """Parse the tables `[repetitions.NAME]` of a recipe: angle, low, high, and optionally rest.

    Raises:
        UsageError: a key, a name or a value is invalid.
    """
    return tuple(_from_table(name, table) for name, table in tables.items())


def _from_table(name: str, table: Any) -> Repetition:
    where = f"[repetitions.{name}]"
    if not isinstance(table, dict) or not {"angle", "low", "high"} <= set(table) <= {"angle", "low", "high", "rest"}:
        raise UsageError(f'{where} must have angle, low and high, and may have rest = "high". Give these keys.')
    angle, low, high, rest = table["angle"], table["low"], table["high"], table.get("rest", "low")
    known = {*ANGLES, *MEASURES}
    known |= {one.removeprefix("left_") for one in known if one.startswith("left_")}
    if angle not in known:
        near = difflib.get_close_matches(str(angle), known, n=1)
        hint = f"Did you mean {near[0]}?" if near else "See docs/features.md for the names."
        raise UsageError(f"{where} has the unknown angle {angle!r}. {hint}")
    if not all(isinstance(value, int | float) for value in (low, high)) or not low < high:
        raise UsageError(f"{where} has low = {low!r} and high = {high!r}; give two numbers, the lower one first.")
    if rest not in ("low", "high"):
        raise UsageError(f'{where} has rest = {rest!r}; give "low" or "high".')
    return Repetition(name, angle, float(low), float(high), rest)
