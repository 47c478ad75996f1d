"""Select the people in the output; all people are tracked regardless."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import UsageError
from ...models.geometry.boxes import areas
from ..types import State, Tracks
from .selectors import AtPlace, Corner, parse_person, parse_roi

Mask = NDArray[np.bool_]

_TAKES_OVER = (
    1.3  # minimum ratio of areas at which another person becomes the largest: two similar ones would alternate
)


class Selection:
    """Callable `(tracks) -> Tracks` for each frame in turn; a finished run is read before, by `decide` or `choose`.

    Args:
        person: `largest`, `longest`, an id, or a place at a time; None selects all people.
        min_length: minimum seconds between a person's first and last frame.
        roi: corners of a region, pixels; people whose box has its center outside are dropped.

    Attributes:
        whole: whether the selection needs the whole run.
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
        self._ids: list[int] | None = None  # of a finished run; None is everyone
        self._met, self._last = False, 0

    @classmethod
    def parse(cls, person: str | None, *, min_length: float = 0.0, roi: str | None = None) -> Selection:
        """Return the selection of the options `--person`, `--min-length` and `--roi`.

        Raises:
            UsageError: a text is none of their values.
        """
        return cls(person and parse_person(person), min_length=min_length, roi=parse_roi(roi) if roi else None)

    @property
    def unmet(self) -> str:
        """Message if no person had the requested id; empty otherwise."""
        if not isinstance(self._person, int) or self._met:
            return ""
        ids = f"the ids went up to {self._last}" if self._last else "no people were found"
        return f"No person had the id {self._person}; {ids}. Run without --person to see all people."

    def __call__(self, tracks: Tracks) -> Tracks:
        """Return the selected people of one frame."""
        if self._roi is not None:
            tracks = tracks[within(_centres(tracks), self._roi)]
        if isinstance(self._person, int):
            self._last = max(self._last, *tracks.ids.tolist(), 0)
            tracks = tracks[tracks.ids == self._person]
            self._met |= len(tracks) > 0
            return tracks
        if self._person == "largest" and len(tracks):
            tracks = tracks[[self._row(tracks)]]
        return tracks if self._ids is None else tracks[np.isin(tracks.ids, self._ids)]

    def _row(self, tracks: Tracks) -> int:
        """Return the row of the largest person; another one must be clearly larger to take over."""
        sizes = areas(np.nan_to_num(tracks.poses.boxes))
        seen = [state != State.PREDICTED for state in tracks.states]
        row = int(np.where(seen, sizes, sizes * 1e-9).argmax())  # a predicted person never takes over
        known = np.flatnonzero(tracks.ids == self._largest)
        if len(known) and sizes[row] < _TAKES_OVER * sizes[known[0]]:
            row = int(known[0])
        self._largest = int(tracks.ids[row])
        return row

    def choose(self, times: ArrayLike, tracks: Sequence[Tracks]) -> list[Tracks]:
        """Return the selected people of each frame of a finished run.

        Args:
            times: (F,) seconds.
            tracks: F frames.

        Raises:
            UsageError: no person is at the requested place and time.
        """
        self.decide(zip(np.asarray(times, dtype=np.float64).tolist(), tracks))
        return [self(frame) for frame in tracks]

    def restart(self) -> None:
        """Begin with the first frame again."""
        self._largest = 0

    def decide(self, run: Iterable[tuple[float, Tracks]]) -> None:
        """Find out who is meant in a finished run; afterwards, the selection is called with its frames in turn.

        Args:
            run: time in seconds and tracks of each frame.

        Raises:
            UsageError: no person is at the requested place and time.
        """
        self._ids = None
        self.restart()
        place = _Meeting(self._person) if isinstance(self._person, AtPlace) else None
        stays: dict[int, tuple[float, float, int]] = {}  # id -> first and last second, number of frames
        for time, tracks in run:
            if place:
                place.see(time, tracks)
            for person in self(tracks).ids.tolist():
                first, _, count = stays.get(person, (time, time, 0))
                stays[person] = first, time, count + 1
        self.restart()
        if not self.whole:
            return
        ids = {person for person, (first, last, _) in stays.items() if last - first >= self._min_length}
        if place:
            ids &= {place.person()}
        elif self._person == "longest" and ids:
            ids = {max(sorted(ids), key=lambda person: stays[person][2])}
        self._ids = sorted(ids)


class _Meeting:
    """The frame at the time of a requested place, and the person there."""

    def __init__(self, place: AtPlace) -> None:
        self._place, self._distance = place, math.inf
        self._frame: Tracks | None = None
        self._first = self._last = math.nan

    def see(self, time: float, tracks: Tracks) -> None:
        """Keep the frame that is nearest in time."""
        self._first, self._last = (time if self._frame is None else self._first), time
        if (distance := abs(time - self._place.time)) < self._distance:
            self._frame, self._distance = tracks, distance

    def person(self) -> int:
        """Return the id of the person whose box contains the place; of several, the one with the nearest center."""
        place, frame = self._place, self._frame
        wanted = f"{place.x:g},{place.y:g} at {place.time:g} s"
        if frame is None or not self._first - 0.5 <= place.time <= self._last + 0.5:
            span = f"{self._first:g} to {self._last:g} s" if frame is not None else "no time, because there are none"
            raise UsageError(f"Cannot select a person at {wanted}: the frames cover {span}. Give another time.")
        point, boxes = np.array([place.x, place.y]), frame.poses.boxes
        around = ((boxes[:, :2] <= point) & (point <= boxes[:, 2:])).all(-1)
        if not around.any():
            there = ", ".join(f"{who} at {x:.0f},{y:.0f}" for who, (x, y) in zip(frame.ids.tolist(), _centres(frame)))
            raise UsageError(f"No person is at {wanted}. People there: {there or 'none'}. Give another place or time.")
        distances = np.where(around, np.linalg.norm(_centres(frame) - point, axis=-1), np.inf)
        return int(frame.ids[distances.argmin()])


def _centres(tracks: Tracks) -> NDArray[np.float64]:
    boxes = tracks.poses.boxes.astype(np.float64)
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def within(points: NDArray[np.float64], polygon: NDArray[np.float64]) -> Mask:
    """Return a mask (N,) of the points (N, 2) inside a polygon (V, 2), by the even-odd rule."""
    x, y = points[:, :1], points[:, 1:]  # (N, 1)
    (x1, y1), (x2, y2) = polygon.T, np.roll(polygon, -1, axis=0).T  # (V,)
    straddles = (y1 > y) != (y2 > y)  # (N, V)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    crossing = x1 + (y - y1) / rise * (x2 - x1)
    return np.asarray((straddles & (x < crossing)).sum(-1) % 2 == 1)
