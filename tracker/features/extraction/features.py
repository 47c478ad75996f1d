"""The features of the people in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...types import State
from ..kinematics.points import Array


@dataclass(frozen=True, slots=True)
class Features:
    """The features of the people in one frame.

    Attributes:
        frame: number of the frame.
        time: seconds.
        ids: (N,) track IDs.
        states: N states.
        views: N of `angles.VIEWS`; empty for people without features.
        postures: N of `posture.POSTURES`; empty if unknown.
        flags: N texts that name impossible angles and segments, see `quality.Quality`.
        names: names of the C columns, as `columns.columns` defines them.
        values: (N, C); NaN where unknown.
        impossible: (N, C) mask of anatomically impossible values.
    """

    frame: int
    time: float
    ids: NDArray[np.integer]
    states: tuple[State, ...]
    views: tuple[str, ...]
    postures: tuple[str, ...]
    flags: tuple[str, ...]
    names: tuple[str, ...]
    values: Array
    impossible: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def plausible(self) -> Array:
        """(N, C) values for summaries and events; NaN where unknown or impossible."""
        return np.where(self.impossible, np.nan, self.values)

    def __getitem__(self, name: str) -> Array:
        """Return one column (N,)."""
        return self.values[:, self.names.index(name)]
