"""Poses that a detector reports twice: a person, and half of that person again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...models.keypoints import paired_oks
from .similarity import areas, intersections

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]

_TOUCH = 0.5  # of the smaller box must lie in the other one
_SAME_BOX = 0.95  # IoU from which two boxes are one, whatever the poses
_TRUST = 0.1  # mean confidence from which poses are compared
_LESS = 0.9  # of the other's score, which a copy has at the most: a detector is less sure of half a person


def distinct(
    boxes: Array, keypoints: Array, scores: Array, box_scores: Array, *, sigmas: Sequence[float] | Array, limit: float
) -> tuple[NDArray[np.intp], Mask]:
    """Return the people who are no copy of somebody before them, and of whose poses nobody knows whose they are.

    Half a person makes a box of low overlap with the whole one, but a pose that agrees where it is sure. So does a
    person who is nearly hidden, when the pose network describes who stands before them; such a box is as sure as the
    other, is kept, and both poses are doubtful.

    Args:
        boxes: (N, 4) xyxy pixels, the surest first.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) in [0, 1].
        box_scores: (N,) in [0, 1].
        sigmas: (K,).
        limit: the OKS from which two poses are the same.

    Returns:
        Rows (M,) in ascending order, and a mask (M,) of the doubtful poses among them.
    """
    area, shared = areas(boxes), intersections(boxes, boxes)
    i, j = np.nonzero(np.triu(shared >= _TOUCH * np.minimum(area[:, None], area), 1))
    kept, doubtful = np.ones(len(boxes), dtype=bool), np.zeros(len(boxes), dtype=bool)
    if not len(i):
        return np.arange(len(boxes)), doubtful
    weights = scores[i] * scores[j]  # (pairs, K)
    size = np.maximum(area[i], area[j])
    pose = paired_oks(keypoints[i], keypoints[j], size, sigmas=np.asarray(sigmas), weights=weights)
    twins = (weights.mean(-1) > _TRUST) & (pose >= limit)
    same = shared[i, j] >= _SAME_BOX * (area[i] + area[j] - shared[i, j])
    for first, second in zip(*(rows[same | (twins & (box_scores[j] < _LESS * box_scores[i]))] for rows in (i, j))):
        kept[second] &= ~kept[first]
    twins &= kept[i] & kept[j]
    doubtful[i[twins]] = doubtful[j[twins]] = True
    return np.flatnonzero(kept), doubtful[kept]
