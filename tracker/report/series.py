"""Measurements over time in bounded memory: exact at first, later the extremes of ever longer intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_ROWS = 40_000  # of measurements together: 11 minutes of two people at 30 frames a second, some 10 MB of a page
_LONGEST = 1e9  # seconds
_BLOCK = 256  # rows by which a person's memory grows


class _Rows:
    """The rows of one person, appended one by one."""

    def __init__(self, columns: int) -> None:
        self._table = np.empty((0, columns))
        self._count = 0

    def append(self, row: Array) -> None:
        if self._count == len(self._table):
            room = np.empty((max(self._count, _BLOCK), self._table.shape[1]))
            self._table = np.concatenate([self._table, room])
        self._table[self._count] = row
        self._count += 1

    @property
    def table(self) -> Array:
        return self._table[: self._count]

    @table.setter
    def table(self, rows: Array) -> None:
        self._table, self._count = rows, len(rows)


class Series:
    """Rows of people, kept in one table for each.

    When there are more than `max_rows`, each person's time is cut into buckets of which two rows stay, and the buckets
    double when that is too much again. A column's two values are its least and its greatest in the bucket, in the order
    in which it went, so that no peak is lost; those of a plain column are its first and its last.

    Args:
        plain: for each column after the time, whether it has no use for extremes, as a place in the picture.
        max_rows: of measurements together.

    Attributes:
        bucket: seconds; 0 while every row is exact.
    """

    def __init__(self, plain: Sequence[bool], *, max_rows: int = MAX_ROWS) -> None:
        self.bucket = 0.0
        self._plain = np.array([True, *plain])
        self._max = max_rows
        self._people: dict[int, _Rows] = {}
        self._count = 0

    def add(self, person: int, time: float, values: Array) -> None:
        """Append a row of a person, whose time in seconds does not come before their last."""
        rows = self._people.setdefault(person, _Rows(len(self._plain)))
        rows.append(np.concatenate([[time], values]))
        self._count += 1
        if self._count > self._max:
            self._thin()

    def table(self, person: int) -> Array:
        """Return the rows (R, 1 + C) of a person, seconds first; (0, 1 + C) for somebody unknown."""
        return self._people.get(person, _Rows(len(self._plain))).table

    def _thin(self) -> None:
        """Lengthen the buckets until half of the room is free; nobody can have fewer than two rows."""
        if not self.bucket:
            steps = np.concatenate([np.diff(rows.table[:, 0]) for rows in self._people.values()])
            self.bucket = 4 * max(float(np.median(steps)) if len(steps) else 1.0, 1e-3)
        self._shorten()
        while 2 * self._count > self._max and self._count > 2 * len(self._people) and self.bucket < _LONGEST:
            self.bucket *= 2
            self._shorten()
        self._max = max(self._max, 2 * self._count)  # so many people that each is there for a moment

    def _shorten(self) -> None:
        for rows in self._people.values():
            rows.table = thinned(rows.table, self.bucket, self._plain)
        self._count = sum(len(rows.table) for rows in self._people.values())


def thinned(table: Array, bucket: float, plain: NDArray[np.bool_]) -> Array:
    """Return at most two rows for each bucket of time.

    Args:
        table: (R, C), ordered by its first column, seconds.
        bucket: seconds.
        plain: (C,), which columns keep their first and last value instead of their extremes.
    """
    if not len(table):
        return table
    buckets = np.floor(table[:, 0] / bucket)
    starts = np.flatnonzero(np.diff(buckets, prepend=-np.inf))
    ends = np.append(starts[1:], len(table)) - 1
    first, last = table[starts], table[ends]
    low, high = np.fmin.reduceat(table, starts), np.fmax.reduceat(table, starts)
    falls = first > last
    pair = np.stack([np.where(falls, high, low), np.where(falls, low, high)], axis=1)  # (B, 2, C)
    pair[..., plain] = np.stack([first, last], axis=1)[..., plain]
    return pair[np.stack([np.ones(len(starts), bool), ends > starts], axis=1)]
