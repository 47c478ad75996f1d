"""Match tracks and poses in stages, the most confident poses first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import kernel

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


@kernel
def assign(similarity: Array, gate: float) -> Rows:
    """Match rows and columns one to one so that the total similarity is maximal.

    Each row in turn finds the shortest augmenting path to a free column, or to a row that is better left unmatched
    (Jonker and Volgenant 1987, in the form of Crouse 2016, algorithm 3.1). Only pairs above the gate are edges, so a
    path stays among people who are near each other.

    Args:
        similarity: (T, N).
        gate: minimum similarity of a match, 0 or more.

    Returns:
        The column (T,) of each row; -1 if unmatched.
    """
    t, n = similarity.shape
    match, partner = np.full(t, -1, np.intp), np.full(n, -1, np.intp)
    row_price, column_price = np.zeros(t), np.zeros(n)
    distance, source, done = np.empty(n), np.empty(n, np.intp), np.empty(n, np.bool_)
    visited = np.empty(t, np.intp)
    for root in range(t):
        for j in range(n):
            distance[j], done[j] = np.inf, False
        row, count, travelled = root, 0, 0.0
        alone, way_alone = root, np.inf  # the row that is best left unmatched, and the distance to it
        while True:
            visited[count] = row
            count += 1
            if travelled - row_price[row] < way_alone:
                alone, way_alone = row, travelled - row_price[row]
            nearest, column = np.inf, -1
            for j in range(n):
                if done[j]:
                    continue
                if similarity[row, j] >= gate:
                    way = travelled - similarity[row, j] - row_price[row] - column_price[j]
                    if way < distance[j]:
                        distance[j], source[j] = way, row
                if distance[j] < nearest:
                    nearest, column = distance[j], j
            travelled = min(nearest, way_alone)
            if way_alone <= nearest:
                column = match[alone]
                break
            if partner[column] < 0:
                break
            done[column], row = True, partner[column]
        for i in visited[:count]:
            row_price[i] += travelled - (0.0 if i == root else distance[match[i]])
        for j in range(n):
            if done[j]:
                column_price[j] -= travelled - distance[j]
        if way_alone <= nearest:
            match[alone] = -1
        while column >= 0:  # augment: every row on the path takes the column that led to it
            row = source[column]
            before, match[row], partner[column] = match[row], column, row
            column = before
    return match


def associate(match: Rows, taken: Mask, similarity: Array, tracks: Mask, poses: Mask, gate: float) -> None:
    """Match the tracks and poses that are still unmatched, in place; existing matches stay.

    With the confident poses first and the others in a later call this is ByteTrack (Zhang et al. 2022, algorithm 1): a
    half-occluded person has a low score and may only continue a track.

    Args:
        match: (T,) pose of each track; -1 if unmatched.
        taken: (N,) mask of the poses that have a track.
        similarity: (T, N) similarity of each track and pose.
        tracks: (T,) mask of the tracks that take part.
        poses: (N,) mask of the poses that take part.
        gate: minimum similarity of a match.
    """
    rows, columns = np.flatnonzero(tracks & (match < 0)), np.flatnonzero(poses & ~taken)
    if len(rows) == 0 or len(columns) == 0:
        return
    found = assign(np.ascontiguousarray(similarity[rows[:, None], columns]), gate)
    paired = found >= 0
    match[rows[paired]] = columns[found[paired]]
    taken[columns[found[paired]]] = True
