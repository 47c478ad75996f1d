"""Poses that a detector reports twice: a person, and half of that person again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import areas, shared
from .compiled import kernel
from .seen import Array, Rows, Seen
from .similarity import agreement

Mask = NDArray[np.bool_]

_TOUCH = 0.5  # of the smaller box must lie in the other one
_SAME_BOX = 0.95  # IoU from which two boxes are one, whatever the poses
_WITHIN = 0.9  # share of a copy that lies in the person's box
_TRUST = 0.1  # mean confidence from which poses are compared
_LESS = 0.9  # of the other's score, which a copy has at the most: a detector is less sure of half a person


def distinct(seen: Seen, sigmas: Array, limit: float) -> tuple[Rows, Mask]:
    """Return the people who are no copy of somebody before them, and of whose poses nobody knows whose they are.

    Half a person makes a box of low overlap with the whole one, but a pose that agrees where it is sure. So does a
    person who is nearly hidden, when the pose network describes who stands before them; such a box is as sure as the
    other, is kept, and both poses are doubtful.

    Args:
        seen: N people, the surest first.
        sigmas: (K,).
        limit: the OKS from which two poses are the same.

    Returns:
        M rows in ascending order, and a mask (M,) of the doubtful poses among them.
    """
    if len(seen.boxes) < 2:
        return np.arange(len(seen.boxes)), np.zeros(len(seen.boxes), np.bool_)
    common, sizes = shared(seen.boxes, seen.boxes), areas(seen.boxes)
    copies, doubtful = _compare(common, sizes, seen.keypoints, seen.scores, seen.box_scores, sigmas, limit)
    rows = np.flatnonzero(~copies)
    return rows, doubtful[rows]


@kernel
def _compare(
    shared: Array, areas: Array, keypoints: Array, scores: Array, box_scores: Array, sigmas: Array, limit: float
) -> tuple[Mask, Mask]:
    """Return who (N,) is a copy of a person before them, and whose pose (N,) another person has too."""
    n = len(areas)
    copies, doubtful, twins = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros((n, n), np.bool_)
    for i in range(n):
        for j in range(i + 1, n):
            common, first, second = shared[i, j], areas[i], areas[j]
            if common < _TOUCH * min(first, second):
                continue
            pose, trust = agreement(keypoints, i, keypoints, j, scores, scores, max(first, second), sigmas)
            twins[i, j] = twins[j, i] = trust > _TRUST and pose >= limit
            less = box_scores[j] < _LESS * box_scores[i] and common >= _WITHIN * second
            same = common >= _SAME_BOX * (first + second - common) or (twins[i, j] and less)
            copies[j] = copies[j] or (same and not copies[i])
    for i in range(n):
        for j in range(n):
            doubtful[i] = doubtful[i] or (twins[i, j] and not copies[j])
    return copies, doubtful
