"""One person's features from appearing to leaving, for everything that needs a whole movement."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..extraction.stream import FORGET_SECONDS, Features
from ..kinematics.points import Array

LONGEST = 300.0  # seconds; a longer stay is cut, so that memory is bounded


@dataclass(frozen=True, slots=True)
class Passage:
    """Features of one person over time.

    Attributes:
        track: id of the person.
        times: (T,) seconds.
        views: (T,) names out of `angles.VIEWS`; empty where unknown.
        postures: (T,) names out of `posture.POSTURES`; empty where unknown.
        names: names of the C columns, as in `stream.Features`.
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


@dataclass(slots=True)
class _Rows:
    times: list[float] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    postures: list[str] = field(default_factory=list)
    values: list[NDArray[np.float32]] = field(default_factory=list)


class Passages:
    """Collect the passages of all people, in bounded memory."""

    def __init__(self) -> None:
        self._people: dict[int, _Rows] = {}
        self._names: tuple[str, ...] = ()

    def take(self, features: Features) -> list[Passage]:
        """Process one frame; return the passages that have ended."""
        self._names = features.names
        values = features.plausible.astype(np.float32)
        for row, track in enumerate(features.ids.tolist()):
            rows = self._people.setdefault(track, _Rows())
            rows.times.append(features.time)
            rows.views.append(features.views[row])
            rows.postures.append(features.postures[row])
            rows.values.append(values[row])
        ended = [
            track
            for track, rows in self._people.items()
            if rows.times[-1] < features.time - FORGET_SECONDS or rows.times[-1] - rows.times[0] >= LONGEST
        ]
        return [self._passage(track) for track in ended]

    def finish(self) -> list[Passage]:
        """Return the passages that the end of the run cuts off, and forget all people."""
        return [self._passage(track) for track in list(self._people)]

    def _passage(self, track: int) -> Passage:
        rows = self._people.pop(track)
        texts = np.array(rows.views, dtype=np.str_), np.array(rows.postures, dtype=np.str_)
        return Passage(track, np.array(rows.times), *texts, self._names, np.array(rows.values))
