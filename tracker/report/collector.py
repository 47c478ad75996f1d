"""Collect the measurements of a run, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..features.events.event import UNITS, Event
from ..features.extraction.columns import LANDMARKS
from ..features.extraction.features import Features
from ..features.extraction.quality import RANGES
from ..features.extraction.stream import ActionFeatures
from ..features.kinematics.angles import wrap
from ..features.kinematics.points import MIN_SCORE, points
from ..features.kinematics.points import index as point_index
from ..types import State, Tracks
from .measurements import ANGLES, POINTS, Measurements, column_names
from .movement import Movement
from .series import MAX_ROWS

# Curves are within half a turn of these, so that an arm overhead goes on to 182 degrees and does not jump to -178.
_MIDDLES = np.array([sum(RANGES.get(name, (0.0, 0.0))) / 2 for name in ANGLES])
_LANDMARKS = [point_index(name) for name in LANDMARKS]


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
