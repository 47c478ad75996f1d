"""The window of frames from which the derivatives of one frame are computed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

import numpy as np

from ...types import Tracks
from ..kinematics.angles import SEGMENT_PERIODS, unwrapped
from ..kinematics.derivatives import FARTHEST, HALF_WINDOW, NEIGHBOURS, derivatives
from ..kinematics.points import POINTS, Array
from .bodies import Estimates


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame, with everything that needs no later frame.

    Attributes:
        frame: number of the frame.
        time: seconds.
        tracks: its N people.
        rows: their rows by ID.
        seen: whether any person is measured, not only predicted.
        points: (N, P, 2) pixels; with a floor, from the start of its line, along and below it.
        trust: (N, P) scores of the points, lower where they are not measured.
        headings: (N, S) of the segments, degrees.
        bodies: estimates of the people.
    """

    frame: int
    time: float
    tracks: Tracks
    rows: dict[int, int]
    seen: bool
    points: Array
    trust: Array
    headings: Array
    bodies: Estimates


class Window:
    """Frames in order: those whose features come next, and those before that their derivatives need."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque()
        self._next = 0  # row of the frame whose features come next

    @property
    def last(self) -> float | None:
        """Seconds of the last frame; None without frames."""
        return self._moments[-1].time if self._moments else None

    def __getitem__(self, row: int) -> Moment:
        return self._moments[row]

    def add(self, moment: Moment) -> None:
        """Add the next frame."""
        self._moments.append(moment)

    def complete(self) -> Iterator[int]:
        """Yield the rows of the frames whose window has become complete."""
        while self._is_complete(self._next):
            yield self._next
            self._next += 1

    def rest(self) -> range:
        """Return the rows of the frames whose window is incomplete."""
        return range(self._next, len(self._moments))

    def trim(self) -> float:
        """Drop the frames that no later one needs; return the seconds of the frame whose features come next."""
        now = self._moments[min(self._next, len(self._moments) - 1)].time
        before = sum(moment.seen for moment in islice(self._moments, self._next))
        while self._next and (
            self._moments[0].time < now - FARTHEST
            or (self._moments[0].time < now - HALF_WINDOW and before - self._moments[0].seen >= NEIGHBOURS)
        ):
            before -= self._moments.popleft().seen
            self._next -= 1
        return now

    def reset(self) -> None:
        """Drop all frames."""
        self._moments.clear()
        self._next = 0

    def derivatives(self, row: int) -> tuple[Array, Array, Array]:
        """Return velocity and acceleration (N, P, 2) of points, and the segments' rotation (N, S), degrees per s."""
        moment = self._moments[row]
        ranks = list(accumulate(other.seen for other in self._moments))  # frames without measured people do not count
        near = [
            other
            for rank, other in zip(ranks, self._moments)
            if abs(other.time - moment.time) <= (FARTHEST if abs(rank - ranks[row]) <= NEIGHBOURS else HALF_WINDOW)
        ]
        places = np.full((len(near), *moment.points.shape), np.nan)  # (W, N, P, 2)
        turns = np.full((len(near), *moment.headings.shape), np.nan)  # (W, N, S)
        for w, other in enumerate(near):
            pairs = [(n, other.rows[i]) for i, n in moment.rows.items() if i in other.rows]
            if pairs:
                here, there = (list(rows) for rows in zip(*pairs))
                places[w, here], turns[w, here] = other.points[there], other.headings[there]
        now = next(w for w, other in enumerate(near) if other is moment)
        turns = unwrapped(turns, SEGMENT_PERIODS)
        places, turns = places - moment.points, turns - turns[now]  # NaN where missing in this frame
        times = np.array([other.time - moment.time for other in near])
        shape, split = moment.points.shape, 2 * len(POINTS)
        flat = np.concatenate([places.reshape(*places.shape[:2], split), turns], axis=-1)
        first, second = derivatives(times, flat)
        return first[:, :split].reshape(shape), second[:, :split].reshape(shape), first[:, split:]

    def _is_complete(self, row: int) -> bool:
        if row >= len(self._moments):
            return False
        ahead = self._moments[-1].time - self._moments[row].time
        after = sum(moment.seen for moment in islice(self._moments, row + 1, None))
        return ahead >= FARTHEST or (ahead >= HALF_WINDOW and after >= NEIGHBOURS)
