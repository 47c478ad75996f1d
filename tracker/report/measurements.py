"""Measurements of all people of a video, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features.events.event import UNITS, Event
from ..features.extraction.columns import LANDMARKS
from ..features.kinematics.angles import JOINTS
from ..types import State
from .jitter import Jitter
from .movement import Movement
from .person import Person
from .series import MAX_ROWS, Series

ANGLES = (*JOINTS, "trunk_inclination", "neck_inclination")
POINTS = ("com", *LANDMARKS)
_NO_POINTS, _NO_SCORES = np.zeros((0, 2)), np.zeros(0)
MAX_EVENTS = 5000  # number of events that are kept


def column_names(unit: str) -> tuple[str, ...]:
    """Return the measures in order, as in the table of features, with speeds in m/s ("m") or body heights/s ("bh")."""
    places = (f"{name}_{axis}" for name in POINTS for axis in "xy")
    return ("frame", *(f"{name}_deg" for name in ANGLES), *(f"{name}_speed_{unit}_s" for name in POINTS), *places)


def is_plain(column: str) -> bool:
    """Return whether a column has no meaningful extremes: frame numbers and positions."""
    return column.endswith(("_x", "_y")) or column == "frame"


class Measurements:
    """Measurements of all people of a video.

    Args:
        unit: of speeds, "m" or "bh".
        max_rows: number of rows above which series are thinned.

    Attributes:
        columns: of the series after the time.
        unit: of the speeds, as text.
        people: by ID.
        series: measures by ID.
        events: the first `MAX_EVENTS` events.
        units: of the values of events that are no counts, by name.
        event_counts: number of all events by name.
        first: number and time in seconds of the first frame with people.
        last: the same of the last frame.
        extent: largest (x, y) of all boxes in pixels.
        movement: ranges of motion, repetitions, gait and flags; None from a table of features.
    """

    def __init__(self, unit: str, *, max_rows: int = MAX_ROWS) -> None:
        self.columns = column_names(unit)
        self.unit = {"m": "m/s", "bh": "body heights/s"}[unit]
        self.people: dict[int, Person] = {}
        self.series = Series([is_plain(name) for name in self.columns], max_rows=max_rows)
        self.events: list[Event] = []
        self.units: Mapping[str, str] = UNITS
        self.event_counts: Counter[str] = Counter()
        self.first, self.last = (0, math.inf), (0, -math.inf)
        self.extent = np.zeros(2)
        self.movement: Movement | None = None
        self._jitter = Jitter()

    @property
    def start(self) -> float:
        """Time of the first frame with people in seconds."""
        return self.first[1]

    @property
    def end(self) -> float:
        """Time of the last frame with people in seconds."""
        return self.last[1]

    def add(
        self,
        identity: int,
        index: int,
        time: float,
        state: State,
        *,
        height: float,
        keypoints: NDArray[Any] = _NO_POINTS,
        scores: NDArray[Any] = _NO_SCORES,
    ) -> None:
        """Add a person in one frame.

        Args:
            identity: ID of the track.
            index: number of the frame.
            time: seconds.
            state: of the pose.
            height: of the box in pixels.
            keypoints: (K, 2) pixels; NaN where hidden.
            scores: (K,) including hidden keypoints.
        """
        person = self.people.setdefault(identity, Person(identity, index))
        person.add(index, time, state, float(scores.mean()) if len(scores) else math.nan)
        measured = state is State.MEASURED
        person.add_jitter(self._jitter.update(identity, time, keypoints if measured else None))
        if measured and not math.isnan(height):
            person.height += height
        self.first, self.last = min(self.first, (index, time), key=_seconds), (index, time)

    def add_events(self, events: Sequence[Event]) -> None:
        """Add events."""
        self.events += events[: MAX_EVENTS - len(self.events)]
        self.event_counts.update(event.event for event in events)


def _seconds(moment: tuple[int, float]) -> float:
    return moment[1]
