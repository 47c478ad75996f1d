"""Choose the people who are shown and written; everybody is tracked all the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import UsageError
from ...models.geometry.boxes import areas
from ..types import State, Tracks
from .selectors import AtPlace, Corner

Mask = NDArray[np.bool_]

_TAKES_OVER = 1.3  # times as large as the largest one so far is who comes next: two alike would take turns


class Selection:
    """Callable `(tracks) -> Tracks`, frame after frame; `choose` where the whole run is there.

    Args:
        person: `largest`, `longest`, an id, or a place at a time; everybody when left out.
        min_length: seconds between somebody's first and last frame at the least.
        roi: corners of a region; whose box has its centre outside is not there.

    Attributes:
        whole: whether the whole run is needed.
    """

    def __init__(
        self,
        person: str | int | AtPlace | None = None,
        *,
        min_length: float = 0.0,
        roi: Sequence[Corner] | None = None,
    ) -> None:
        self.whole = person == "longest" or isinstance(person, AtPlace) or min_length > 0
        self._person, self._min_length = person, min_length
        self._roi = None if roi is None else np.asarray(roi, dtype=np.float64)
        self._largest = 0
        self._met, self._last = False, 0

    @property
    def unmet(self) -> str:
        """A sentence about the id that was asked for and that nobody had; empty where somebody had it."""
        if not isinstance(self._person, int) or self._met:
            return ""
        ids = f"ids went up to {self._last}" if self._last else "nobody was there"
        return f"Nobody had the id {self._person}; {ids}. Look at them without --person."

    def __call__(self, tracks: Tracks) -> Tracks:
        """Return those of one frame who are meant."""
        if self._roi is not None:
            tracks = tracks[within(_centres(tracks), self._roi)]
        if isinstance(self._person, int):
            self._last = max(self._last, *tracks.ids.tolist(), 0)
            tracks = tracks[tracks.ids == self._person]
            self._met |= len(tracks) > 0
            return tracks
        if self._person == "largest" and len(tracks):
            return tracks[[self._row(tracks)]]
        return tracks

    def _row(self, tracks: Tracks) -> int:
        """Return the row of the largest person, which they stay until somebody is clearly larger."""
        sizes = areas(np.nan_to_num(tracks.poses.boxes))
        seen = [state != State.PREDICTED for state in tracks.states]
        row = int(np.where(seen, sizes, sizes * 1e-9).argmax())  # a guess takes nobody's place
        known = np.flatnonzero(tracks.ids == self._largest)
        if len(known) and sizes[row] < _TAKES_OVER * sizes[known[0]]:
            row = int(known[0])
        self._largest = int(tracks.ids[row])
        return row

    def choose(self, times: ArrayLike, tracks: Sequence[Tracks]) -> list[Tracks]:
        """Return those of every frame of a run who are meant.

        Args:
            times: (F,) seconds.
            tracks: F.

        Raises:
            UsageError: nobody is at the place, at the time.
        """
        at = np.asarray(times, dtype=np.float64)
        self._largest = 0
        meant = [self(frame) for frame in tracks]
        if not self.whole:
            return meant
        stays: dict[int, tuple[float, float, int]] = {}  # first and last second, and frames
        for time, frame in zip(at.tolist(), meant):
            for person in frame.ids.tolist():
                first, _, count = stays.get(person, (time, time, 0))
                stays[person] = first, time, count + 1
        ids = {person for person, (first, last, _) in stays.items() if last - first >= self._min_length}
        if isinstance(self._person, AtPlace):
            ids &= {_who(self._person, at, tracks)}
        elif self._person == "longest" and ids:
            ids = {max(sorted(ids), key=lambda person: stays[person][2])}
        return [frame[np.isin(frame.ids, list(ids))] for frame in meant]


def _who(place: AtPlace, times: NDArray[np.float64], tracks: Sequence[Tracks]) -> int:
    """Return the id of the person whose box is around a place, the one with the nearest centre of several."""
    wanted = f"{place.x:g},{place.y:g} at {place.time:g} s"
    if not len(times) or not times[0] - 0.5 <= place.time <= times[-1] + 0.5:
        raise UsageError(f"Nobody can be looked for at {wanted}: the frames are from another time. Give another one.")
    frame = tracks[int(np.abs(times - place.time).argmin())]
    point, boxes = np.array([place.x, place.y]), frame.poses.boxes
    around = ((boxes[:, :2] <= point) & (point <= boxes[:, 2:])).all(-1)
    if not around.any():
        there = ", ".join(f"{person} at {x:.0f},{y:.0f}" for person, (x, y) in zip(frame.ids.tolist(), _centres(frame)))
        raise UsageError(f"Nobody is at {wanted}. There is: {there or 'nobody at all'}. Give another place or time.")
    distances = np.where(around, np.linalg.norm(_centres(frame) - point, axis=-1), np.inf)
    return int(frame.ids[distances.argmin()])


def _centres(tracks: Tracks) -> NDArray[np.float64]:
    boxes = tracks.poses.boxes.astype(np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def within(points: NDArray[np.float64], polygon: NDArray[np.float64]) -> Mask:
    """Return (N,) whether points (N, 2) lie in a polygon (V, 2), by the even-odd rule."""
    x, y = points[:, :1], points[:, 1:]  # (N, 1)
    (x1, y1), (x2, y2) = polygon.T, np.roll(polygon, -1, axis=0).T  # (V,)
    straddles = (y1 > y) != (y2 > y)  # (N, V)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    crossing = x1 + (y - y1) / rise * (x2 - x1)
    return np.asarray((straddles & (x < crossing)).sum(-1) % 2 == 1)
