"""One person's features from appearing to leaving, for everything that needs a whole movement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..extraction.features import Features
from ..extraction.stream import FORGET_SECONDS
from ..kinematics.angles import JOINTS, VIEWS
from ..kinematics.points import SIDES, Array
from ..kinematics.posture import POSTURES

LONGEST = 300.0  # seconds; a longer stay is cut, so that memory is bounded
COLUMNS = {  # of the features that movements are computed from; a passage keeps no others
    *(f"{joint}_{name}" for joint in JOINTS for name in ("deg", "quality")),
    *(f"{side}_{name}" for side in SIDES for name in ("rear_offset", "front_offset", "ankle_score")),
    *("com_x", "com_y", "com_mass", "com_score", "com_speed_bh_s", "com_speed_m_s"),
    *("height_px", "feet_y", "trunk_rise"),
}
_BLOCK = 256  # rows; blocks of one size leave no gaps in memory when people leave
_VIEWS, _POSTURES = ("", *VIEWS), ("", *POSTURES)


@dataclass(frozen=True, slots=True)
class Passage:
    """Features of one person over time.

    Attributes:
        track: ID of the person.
        times: (T,) seconds.
        views: (T,) names out of `angles.VIEWS`; empty where unknown.
        postures: (T,) names out of `posture.POSTURES`; empty where unknown.
        names: names of the C columns, those of `COLUMNS` that the features have.
        values: (T, C); NaN where unknown or impossible.
    """

    track: int
    times: Array
    views: NDArray[np.str_]
    postures: NDArray[np.str_]
    names: tuple[str, ...]
    values: NDArray[np.float32]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Array:
        """Return one column (T,)."""
        return self.values[:, self.names.index(name)].astype(np.float64)

    def mean(self, name: str, start: float, end: float) -> float:
        """Return the mean of the known values of a column from `start` to `end`, seconds; NaN if none is known."""
        values = self[name][(self.times >= start) & (self.times <= end)]
        return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


class _Rows:
    """Rows of one person, each with a time, a view, a posture and values."""

    def __init__(self, kind: np.dtype[Any]) -> None:
        self._kind, self._count = kind, 0
        self._blocks: list[NDArray[Any]] = []

    @property
    def start(self) -> float:
        """Seconds of the first row."""
        return float(self._blocks[0]["time"][0])

    @property
    def end(self) -> float:
        """Seconds of the last row."""
        return float(self._blocks[-1]["time"][(self._count - 1) % _BLOCK])

    def add(self, *row: object) -> None:
        """Append a row."""
        if self._count == _BLOCK * len(self._blocks):
            self._blocks.append(np.empty(_BLOCK, self._kind))
        self._blocks[-1][self._count % _BLOCK] = row
        self._count += 1

    def table(self) -> NDArray[Any]:
        """Return all rows (T,)."""
        return np.concatenate(self._blocks)[: self._count]


class Passages:
    """Collect the passages of all people, in bounded memory."""

    def __init__(self) -> None:
        self._people: dict[int, _Rows] = {}
        self._names: tuple[str, ...] = ()

    def take(self, features: Features) -> list[Passage]:
        """Process one frame; return the passages that have ended."""
        columns, self._names, kind = _kept(features.names)
        values = features.plausible[:, columns].astype(np.float32)
        for row, track in enumerate(features.ids.tolist()):
            codes = _VIEWS.index(features.views[row]), _POSTURES.index(features.postures[row])
            self._people.setdefault(track, _Rows(kind)).add(features.time, *codes, values[row])
        ended = [
            track
            for track, rows in self._people.items()
            if rows.end < features.time - FORGET_SECONDS or rows.end - rows.start >= LONGEST
        ]
        return [self._passage(track) for track in ended]

    def finish(self) -> list[Passage]:
        """Return the passages that the end of the run cuts off, and forget all people."""
        return [self._passage(track) for track in list(self._people)]

    def _passage(self, track: int) -> Passage:
        rows = self._people.pop(track).table()
        views, postures = np.array(_VIEWS)[rows["view"]], np.array(_POSTURES)[rows["posture"]]
        return Passage(track, rows["time"].copy(), views, postures, self._names, rows["values"])


@cache
def _kept(names: tuple[str, ...]) -> tuple[list[int], tuple[str, ...], np.dtype[Any]]:
    """Return the columns of the features that a passage keeps, their names, and the type of its rows."""
    columns = [column for column, name in enumerate(names) if name in COLUMNS]
    kind = np.dtype([("time", "f8"), ("view", "u1"), ("posture", "u1"), ("values", "f4", (len(columns),))])
    return columns, tuple(names[column] for column in columns), kind
