"""Measurements of all people of a video, collected frame by frame in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features.events.event import UNITS, Event
from ..features.extraction.columns import LANDMARKS
from ..features.extraction.quality import RANGES
from ..features.extraction.stream import ActionFeatures, Features
from ..features.kinematics.angles import JOINTS, wrap
from ..features.kinematics.points import MIN_SCORE, points
from ..features.kinematics.points import index as point_index
from ..types import State, Tracks
from .movement import Movement
from .series import MAX_ROWS, Series

ANGLES = (*JOINTS, "trunk_inclination", "neck_inclination")
# Curves are within half a turn of these, so that an arm overhead goes on to 182 degrees and does not jump to -178.
_MIDDLES = np.array([sum(RANGES.get(name, (0.0, 0.0))) / 2 for name in ANGLES])
POINTS = ("com", *LANDMARKS)
_LANDMARKS = [point_index(name) for name in LANDMARKS]
_NO_POINTS, _NO_SCORES = np.zeros((0, 2)), np.zeros(0)
MAX_EVENTS = 5000  # number of events that are kept
MAX_SPANS = 2000  # of one person
Span = tuple[float, float, State]  # from and to, seconds
_NEAR = 0.25  # largest time between neighbouring frames in seconds


def column_names(unit: str) -> tuple[str, ...]:
    """Return the measures in order, as in the table of features, with speeds in m/s ("m") or body heights/s ("bh")."""
    places = (f"{name}_{axis}" for name in POINTS for axis in "xy")
    return ("frame", *(f"{name}_deg" for name in ANGLES), *(f"{name}_speed_{unit}_s" for name in POINTS), *places)


def is_plain(column: str) -> bool:
    """Return whether a column has no meaningful extremes: frame numbers and positions."""
    return column.endswith(("_x", "_y")) or column == "frame"


@dataclass(slots=True)
class Person:
    """Facts about one person, in addition to their series.

    Attributes:
        id: of the track.
        first: number of the first frame.
        last: number of the last frame.
        spans: start and end in seconds, and the state in between; short ones are joined above `MAX_SPANS`.
        states: number of frames by state.
        height: sum of the heights of measured frames, pixels.
        score: sum of the mean keypoint scores of measured frames.
        jitter: sum of the jitter of `jitters` frames, pixels.
        jitters: number of frames in `jitter`.
    """

    id: int
    first: int
    last: int = -1
    spans: list[Span] = field(default_factory=list)
    states: Counter[State] = field(default_factory=Counter)
    height: float = 0.0
    score: float = 0.0
    jitter: float = 0.0
    jitters: int = 0

    @property
    def start(self) -> float:
        """Seconds of the first frame."""
        return self.spans[0][0]

    @property
    def end(self) -> float:
        """Seconds of the last frame."""
        return self.spans[-1][1]

    @property
    def coverage(self) -> float:
        """Share of measured frames between the first and the last."""
        return self.states[State.MEASURED] / (self.last - self.first + 1)

    @property
    def mean_score(self) -> float:
        """Mean score of the keypoints; NaN if the person was never measured."""
        measured = self.states[State.MEASURED]
        return self.score / measured if measured else math.nan

    @property
    def mean_jitter(self) -> float:
        """Mean over frames of the median keypoint's distance from the line between its neighbours in time, pixels."""
        return self.jitter / self.jitters if self.jitters else math.nan

    def add(self, frame: int, time: float, state: State, score: float) -> None:
        """Add one frame with the mean score of its keypoints."""
        continues = self.spans and self.last == frame - 1
        if continues and self.spans[-1][2] is state:
            self.spans[-1] = (self.spans[-1][0], time, state)
        else:
            self.spans.append((self.spans[-1][1] if continues else time, time, state))
            if len(self.spans) > MAX_SPANS:
                self.spans = _coarser(self.spans)
        self.last = frame
        self.states[state] += 1
        if state is State.MEASURED:
            self.score += score

    def add_jitter(self, pixels: float) -> None:
        """Add the jitter of one frame; NaN where it is unknown."""
        if not math.isnan(pixels):
            self.jitter += pixels
            self.jitters += 1


def _coarser(spans: list[Span]) -> list[Span]:
    """Join the spans within 4 / `MAX_SPANS` of the time, as the first of them: at most half of the spans stay."""
    bucket = 4 / MAX_SPANS * (spans[-1][1] - spans[0][0])
    kept = spans[:1]
    for start, end, state in spans[1:-1]:
        if end - kept[-1][0] <= bucket:
            kept[-1] = kept[-1][0], end, kept[-1][2]
        else:
            kept.append((start, end, state))
    return [*kept, spans[-1]]


class Jitter:
    """Distance of the keypoints from the line between their neighbours in time, of the people who are present."""

    def __init__(self) -> None:
        self._near: dict[int, list[tuple[float, NDArray[Any]]]] = {}  # up to two frames of each person

    def update(self, identity: int, time: float, keypoints: NDArray[Any] | None) -> float:
        """Add a frame of a person; return the median keypoint's distance in the frame before, pixels.

        Args:
            identity: of the track.
            time: seconds.
            keypoints: (K, 2) pixels, NaN where hidden; None if they are not measured.

        Returns:
            NaN without neighbours on both sides.
        """
        near = self._near.pop(identity, [])
        while self._near and time - self._near[first := next(iter(self._near))][-1][0] >= _NEAR:
            del self._near[first]  # who left; the dictionary is in the order of the last frames
        if keypoints is None:
            return math.nan
        self._near[identity] = [*near[-1:], (time, keypoints)]
        if len(near) < 2:
            return math.nan
        (t0, before), (t1, now) = near
        if not 0 < t1 - t0 < _NEAR or not 0 < time - t1 < _NEAR:
            return math.nan
        expected = before + (t1 - t0) / (time - t0) * (keypoints - before)
        distances = np.linalg.norm(now - expected, axis=-1)
        known = distances[np.isfinite(distances)]
        return float(np.median(known)) if len(known) else math.nan


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


class Collector:
    """Collect the measurements of a run from its tracks, features and events.

    Args:
        actions: computes the features.
        units: of the values of events that are no counts, by name.
        max_rows: number of rows above which series are thinned.

    Attributes:
        measurements: of the frames so far.
        movement: receives whole movements.
    """

    def __init__(
        self,
        actions: ActionFeatures,
        *,
        units: Mapping[str, str] = UNITS,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._skeleton, self._max_rows = actions.skeleton, max_rows
        self._units = units
        self._unit = "m" if actions.calibration.metric else "bh"
        names = list(actions.columns)
        own = (*column_names(self._unit)[1 : 1 + len(ANGLES) + len(POINTS)], "com_x", "com_y")
        self._columns = [names.index(name) for name in own]
        self.movement = Movement()
        self.restart()

    def restart(self) -> None:
        """Remove all measurements."""
        self.measurements = Measurements(self._unit, max_rows=self._max_rows)
        self.measurements.units = self._units
        self.measurements.movement = self.movement

    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Add the tracks, features and events of one frame."""
        poses, measurements = tracks.poses, self.measurements
        visible = np.where((poses.scores >= MIN_SCORE)[..., None], poses.keypoints, np.nan)  # (N, K, 2)
        measured = np.array([state is not State.PREDICTED for state in tracks.states], dtype=bool).reshape(-1, 1, 1)
        landmarks = points(np.where(measured, visible, np.nan), self._skeleton)[:, _LANDMARKS]
        for row, (identity, state) in enumerate(zip(tracks.ids.tolist(), tracks.states)):
            measurements.add(
                identity,
                features.frame,
                features.time,
                state,
                height=float(poses.boxes[row, 3] - poses.boxes[row, 1]),
                keypoints=visible[row],
                scores=poses.scores[row],
            )
            own = features.values[row, self._columns]
            own[: len(ANGLES)] = _MIDDLES + wrap(own[: len(ANGLES)] - _MIDDLES)
            values = [[features.frame], own, landmarks[row].ravel()]
            measurements.series.add(identity, features.time, np.concatenate(values))
        if len(tracks):
            measurements.extent = np.fmax(measurements.extent, np.fmax.reduce(poses.boxes[:, 2:]))
        measurements.add_events(events)
        self.movement.take(features)
