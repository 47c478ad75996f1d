"""Measurements over time in bounded memory: exact at first, later the extremes of ever longer intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_ROWS = 40_000  # of all people: 11 minutes of two people at 30 fps, about 10 MB of a page
_LONGEST = 1e9  # seconds
_BLOCK = 256  # minimum number of rows by which a table grows


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
    """One table of rows per person.

    Above `max_rows` rows, time is divided into buckets of which two rows are kept; bucket lengths double when the limit
    is reached again. The two values of a column are its minimum and maximum in the bucket, in their order, so peaks are
    kept; those of a plain column are the first and the last.

    Args:
        plain: for each column after the time, whether it has no meaningful extremes, such as a position.
        max_rows: of all people together.

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
        """Append a row of a person; its time in seconds must not be before the last one."""
        rows = self._people.setdefault(person, _Rows(len(self._plain)))
        rows.append(np.concatenate([[time], values]))
        self._count += 1
        if self._count > self._max:
            self._thin()

    def table(self, person: int) -> Array:
        """Return the rows (R, 1 + C) of a person, seconds first; (0, 1 + C) if the person is unknown."""
        return self._people.get(person, _Rows(len(self._plain))).table

    def _thin(self) -> None:
        """Lengthen the buckets until half of the limit is free; each person keeps at least two rows."""
        if not self.bucket:
            steps = np.concatenate([np.diff(rows.table[:, 0]) for rows in self._people.values()])
            self.bucket = 4 * max(float(np.median(steps)) if len(steps) else 1.0, 1e-3)
        self._shorten()
        while 2 * self._count > self._max and self._count > 2 * len(self._people) and self.bucket < _LONGEST:
            self.bucket *= 2
            self._shorten()
        self._max = max(self._max, 2 * self._count)  # many people with few rows each

    def _shorten(self) -> None:
        for rows in self._people.values():
            rows.table = thinned(rows.table, self.bucket, self._plain)
        self._count = sum(len(rows.table) for rows in self._people.values())


def thinned(table: Array, bucket: float, plain: NDArray[np.bool_]) -> Array:
    """Return at most two rows for each bucket of time.

    Args:
        table: (R, C), sorted by its first column, the time in seconds.
        bucket: seconds.
        plain: (C,) columns that keep their first and last value instead of their extremes.
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
