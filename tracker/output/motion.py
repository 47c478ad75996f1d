"""OpenSim's motion files (.mot): joint angles of each person who is seen from the side, by OpenSim's coordinates.

The names and signs are those of the full-body models of Rajagopal et al. 2016 and Lai et al. 2017; in older models such
as gait2392 the knee has the opposite sign. The pelvis carries the trunk's inclination, so that `hip_flexion`, which
posetrack measures from the trunk, puts the thigh where it is seen. Source: OpenSim's documentation, "Motion (.mot)
Files".
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..features.events.event import Event
from ..features.extraction.features import Features
from ..features.extraction.stream import ActionFeatures
from ..features.kinematics.angles import unwrapped
from ..features.kinematics.points import MIN_SCORE, index, points
from ..partial import PartialFile, check_target
from ..types import Tracks

SUFFIX = ".mot"
MAX_GAP = 0.5  # seconds; shorter gaps are interpolated linearly, the frames of longer ones left out
LEAST_KNOWN = 0.5  # minimum share of a person's frames in which a coordinate is known
_JOINTS = {
    "hip_flexion": "hip",
    "knee_angle": "knee",
    "ankle_angle": "ankle",
    "arm_flex": "shoulder",
    "elbow_flex": "elbow",
}
_ANGLES = {
    "pelvis_tilt": ("trunk_inclination_deg", -1.0),
    **{
        f"{coordinate}_{side[0]}": (f"{side}_{joint}_deg", 1.0)
        for side in ("right", "left")
        for coordinate, joint in _JOINTS.items()
    },
}
_PLACES = ("pelvis_tx", "pelvis_ty")
_FORWARD = {"right": 1.0, "left": -1.0}  # of the image's x, by view


class MotionFiles:
    """Collect the angles of a run and write `NAME_person3.mot` and so on at its end.

    Args:
        path: `NAME.mot`.
        actions: computes the features.
        overwrite: whether existing files may be replaced.
    """

    def __init__(self, path: Path, actions: ActionFeatures, *, overwrite: bool = False) -> None:
        self._path, self._actions, self._overwrite = path, actions, overwrite
        self._angles = [list(actions.columns).index(column) for column, _ in _ANGLES.values()]
        self._signs = np.array([sign for _, sign in _ANGLES.values()])
        self._places = actions.calibration.positions
        self.names = (*_ANGLES, *(_PLACES if self._places else ()))
        self.restart()

    def restart(self) -> None:
        """Forget all frames."""
        self._rows: dict[int, array[float]] = defaultdict(lambda: array("d"))

    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Add the people of one frame."""
        values = features.plausible[:, self._angles] * self._signs
        if self._places:
            values = np.concatenate([values, self._pelvis(tracks, features)], axis=1)
        for row, (person, view) in enumerate(zip(features.ids.tolist(), features.views)):
            known = values[row] if view in _FORWARD else np.full(len(self.names), np.nan)
            self._rows[person].extend([features.time, *known.tolist()])

    def _pelvis(self, tracks: Tracks, features: Features) -> NDArray[np.float64]:
        """Return where the middle of the hips is (N, 2), forwards along the floor and above it, metres."""
        poses, calibration = tracks.poses, self._actions.calibration
        assert calibration.floor is not None, "positions need a floor"
        visible = np.where((poses.scores >= MIN_SCORE)[..., None], poses.keypoints, np.nan)
        middle = points(visible, self._actions.skeleton)[:, index("mid_hip")]
        metres = calibration.floor.level(middle) / features["px_per_m"][:, None] * (1.0, -1.0)
        forward = np.array([_FORWARD.get(view, np.nan) for view in features.views])
        return metres * np.stack([forward, np.ones_like(forward)], axis=-1)

    def save(self) -> list[Path]:
        """Write the files and return them; people who are never seen from the side have none.

        Raises:
            SourceError: no person is seen from the side.
            OutputError: a file exists or cannot be written.
        """
        width = 1 + len(self.names)
        people = {person: np.array(rows).reshape(-1, width) for person, rows in sorted(self._rows.items())}
        motions = {person: _motion(self.names, rows) for person, rows in people.items()}
        motions = {person: (names, rows) for person, (names, rows) in motions.items() if len(rows)}
        if not motions:
            raise SourceError(
                f"Cannot write '{self._path}': OpenSim's joint angles are those of people seen from the side, and here "
                "is none. Give --out a table, .csv."
            )
        files = [self._path.with_name(f"{self._path.stem}_person{person}.mot") for person in motions]
        for file in files:
            check_target(file, overwrite=self._overwrite)
        for file, (names, rows) in zip(files, motions.values()):
            with PartialFile(file, overwrite=self._overwrite, results=None) as out:
                out.write(_text(file.stem, names, rows).encode())
        return files


def _motion(names: Sequence[str], rows: NDArray[np.float64]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the coordinates of one person that are mostly known, and the rows (M, 1 + C) in which they all are.

    Args:
        names: of all coordinates.
        rows: (T, 1 + A) times and coordinates; NaN where unknown. OpenSim stops reading at the first one.
    """
    times, turned = rows[:, 0], 1 + len(_ANGLES)
    values = np.concatenate([unwrapped(rows[:, 1:turned]), rows[:, turned:]], axis=1)
    whole = np.column_stack([_bridged(times, column) for column in values.T])
    present = np.isfinite(whole).any(1)
    mostly = np.isfinite(whole[present]).sum(0) > LEAST_KNOWN * present.sum()
    known = np.isfinite(whole[:, mostly]).all(1) & present
    return [name for name, kept in zip(names, mostly) if kept], np.column_stack([times, whole[:, mostly]])[known]


def _text(name: str, names: Sequence[str], rows: NDArray[np.float64]) -> str:
    """Return the file of one person, from rows (M, 1 + C) of times and coordinates."""
    head = (name, "version=1", f"nRows={len(rows)}", f"nColumns={rows.shape[1]}", "inDegrees=yes", "endheader")
    lines = ["\t".join(f"{value:.6f}" for value in row) for row in rows.tolist()]
    return "\n".join([*head, "\t".join(["time", *names]), *lines]) + "\n"


def _bridged(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill gaps of a signal (T,) of at most `MAX_GAP` linearly in time."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return values
    nearest = np.searchsorted(known, np.arange(len(values)), side="right")
    before, after = known[np.maximum(nearest - 1, 0)], known[np.minimum(nearest, len(known) - 1)]
    short = (times[after] - times[before] <= MAX_GAP) & (before < np.arange(len(values))) & (after > before)
    filled = np.interp(times, times[known], values[known])
    return np.where(np.isfinite(values), values, np.where(short, filled, np.nan))
