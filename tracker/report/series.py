"""Measurements over time in bounded memory: exact at first, later the extremes of ever longer intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_ROWS = 40_000  # of all people: 11 minutes of two people at 30 fps, about 10 MB of a page
_LONGEST = 1e9  # seconds
_BLOCK = 256  # rows
_NONE = -1  # owner of a free row


class Series:
    """One table of rows per person, in memory that is allocated once.

    Above `max_rows` rows, time is divided into buckets of which two rows are kept; bucket lengths double when the limit
    is reached again. The two values of a column are its minimum and maximum in the bucket, in their order, so peaks are
    kept; those of a plain column are the first and the last.

    Args:
        plain: for each column after the time, whether it has no meaningful extremes, such as a position.
        max_rows: of all people together; only people of very few rows each can exceed it.

    Attributes:
        bucket: seconds; 0 while every row is exact.
    """

    def __init__(self, plain: Sequence[bool], *, max_rows: int = MAX_ROWS) -> None:
        self.bucket = 0.0
        self._plain = np.array([True, *plain])
        self._rows, self._owners = self._allocated(max_rows)
        self._count = 0

    def _allocated(self, rows: int) -> tuple[Array, NDArray[np.int64]]:
        # filled, since the system would hand out the pages of an empty table one by one during the run
        return np.full((rows, len(self._plain)), np.nan), np.full(rows, _NONE, np.int64)

    def add(self, person: int, time: float, values: Array) -> None:
        """Append a row of a person; its time in seconds must not be before the last one."""
        if self._count == len(self._rows):
            self._thin()
        self._owners[self._count] = person
        self._rows[self._count, 0], self._rows[self._count, 1:] = time, values
        self._count += 1

    def table(self, person: int) -> Array:
        """Return the rows (R, 1 + C) of a person, seconds first; (0, 1 + C) if the person is unknown."""
        return self._rows[: self._count][self._owners[: self._count] == person]

    def _thin(self) -> None:
        """Lengthen the buckets until half of the table is free; each person keeps at least two rows."""
        people = np.unique(self._owners)
        if not self.bucket:
            times = self._rows[: self._count, 0]
            steps = np.concatenate([np.diff(times[self._owners[: self._count] == person]) for person in people])
            self.bucket = 4 * max(float(np.median(steps)) if len(steps) else 1.0, 1e-3)
        self._shorten(people)
        while 2 * self._count > len(self._rows) and self._count > 2 * len(people) and self.bucket < _LONGEST:
            self.bucket *= 2
            self._shorten(people)
        if 2 * self._count > len(self._rows):  # many people with few rows each
            rows, owners = self._allocated(2 * self._count)
            rows[: self._count], owners[: self._count] = self._rows[: self._count], self._owners[: self._count]
            self._rows, self._owners = rows, owners

    def _shorten(self, people: NDArray[np.int64]) -> None:
        """Thin every person's rows in their places, then close the gaps, both block by block: no table is copied."""
        for person in people:
            for rows in self._blocks(np.flatnonzero(self._owners[: self._count] == person)):
                table = thinned(self._rows[rows], self.bucket, self._plain)
                self._rows[rows[: len(table)]] = table
                self._owners[rows[len(table) :]] = _NONE
        kept = np.flatnonzero(self._owners[: self._count] != _NONE)
        for start in range(0, len(kept), _BLOCK):
            block = kept[start : start + _BLOCK]
            into = slice(start, start + len(block))
            self._rows[into], self._owners[into] = self._rows[block], self._owners[block]
        self._count = len(kept)

    def _blocks(self, own: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Divide the rows (R,) of one person into blocks of whole buckets, so that little is copied at once."""
        starts = np.flatnonzero(np.diff(np.floor(self._rows[own, 0] / self.bucket))) + 1
        nearest = np.searchsorted(starts, np.arange(_BLOCK, len(own), _BLOCK))
        return np.split(own, np.unique(starts[nearest[nearest < len(starts)]]))


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
