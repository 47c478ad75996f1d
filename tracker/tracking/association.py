"""Who is who: tracks and poses matched in stages, the surest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Rows = NDArray[np.intp]


class Stage(NamedTuple):
    """One pass of matching.

    Attributes:
        similarity: (T, N), every track with every pose.
        tracks: (T,) mask of the tracks that take part.
        poses: (N,) mask of the poses that take part.
        gate: the similarity that a match needs at the least.
    """

    similarity: NDArray[np.floating]
    tracks: NDArray[np.bool_]
    poses: NDArray[np.bool_]
    gate: float


def assign(similarity: NDArray[np.floating], gate: float) -> tuple[Rows, Rows]:
    """Match rows and columns one to one so that the similarity of all matches together is greatest.

    Args:
        similarity: (T, N).
        gate: pairs below it are never matched.

    Returns:
        Rows and columns of the matches, one array each.
    """
    allowed = similarity >= gate
    rows, columns = linear_sum_assignment(np.where(allowed, similarity, 0.0), maximize=True)
    matched = allowed[rows, columns]
    return rows[matched], columns[matched]


def associate(stages: Iterable[Stage], num_tracks: int, num_poses: int) -> tuple[Rows, Rows, Rows, Rows]:
    """Match tracks and poses stage by stage; who is matched takes no part in the stages after it.

    With the confident poses in the first stage and the others in a later one this is ByteTrack (Zhang et al. 2022,
    algorithm 1): a half-hidden person has a low score, and is believed only where a track is expected.

    Args:
        stages: in the order of their trust.
        num_tracks: T.
        num_poses: N.

    Returns:
        Tracks and poses of the matches, one array each; the unmatched tracks; the unmatched poses.
    """
    match = np.full(num_tracks, -1, dtype=np.intp)  # pose of each track
    free = np.ones(num_poses, dtype=bool)
    for stage in stages:
        rows = np.flatnonzero(stage.tracks & (match < 0))
        columns = np.flatnonzero(stage.poses & free)
        if not len(rows) or not len(columns):
            continue
        i, j = assign(stage.similarity[np.ix_(rows, columns)], stage.gate)
        match[rows[i]] = columns[j]
        free[columns[j]] = False
    tracks = np.flatnonzero(match >= 0)
    return tracks, match[tracks], np.flatnonzero(match < 0), np.flatnonzero(free)
