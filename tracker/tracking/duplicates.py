"""Remove duplicate detections, such as a second box on half of the same person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import areas, intersections
from .compiled import kernel
from .similarity import agreement

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

_TOUCH = 0.5  # minimum share of the smaller box inside the other one
_SAME_BOX = 0.95  # IoU from which two boxes are duplicates, whatever their poses
_WITHIN = 0.9  # minimum share of a duplicate inside the person's box
_MIN_CONFIDENCE = 0.1  # minimum mean confidence of poses that are compared
_LESS = 0.9  # maximum score of a duplicate, relative to the person's: detectors score half a person lower


def distinct(
    boxes: Array, keypoints: Array, scores: Array, box_scores: Array, sigmas: Array, limit: float
) -> tuple[Rows, Mask]:
    """Return the poses that are no duplicate of a more confident one, and which of them are ambiguous.

    A box on half a person has a low IoU with the whole one, but its confident keypoints agree. The same happens to a
    nearly occluded person if the pose network describes the person in front. Such a box has a score as high as the
    other; it is kept, and both poses are ambiguous: their keypoints may belong to either person.

    Args:
        boxes: (N, 4) xyxy pixels, the most confident pose first.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) keypoint scores; 0 where missing.
        box_scores: (N,).
        sigmas: (K,) OKS sigmas.
        limit: minimum OKS of two identical poses.

    Returns:
        M rows in ascending order, and a mask (M,) of the ambiguous poses among them.
    """
    if len(boxes) < 2:
        return np.arange(len(boxes)), np.zeros(len(boxes), np.bool_)
    common, sizes = intersections(boxes, boxes), areas(boxes)
    copies, ambiguous = _compare(common, sizes, keypoints, scores, box_scores, sigmas, limit)
    rows = np.flatnonzero(~copies)
    return rows, ambiguous[rows]


@kernel
def _compare(
    shared: Array, areas: Array, keypoints: Array, scores: Array, box_scores: Array, sigmas: Array, limit: float
) -> tuple[Mask, Mask]:
    """Return masks (N,) of the duplicates of an earlier row, and of the poses that another person shares."""
    n = len(areas)
    copies, ambiguous, twins = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros((n, n), np.bool_)
    for i in range(n):
        for j in range(i + 1, n):
            common, first, second = shared[i, j], areas[i], areas[j]
            if common < _TOUCH * min(first, second):
                continue
            pose, trust = agreement(keypoints, i, keypoints, j, scores, scores, max(first, second), sigmas)
            twins[i, j] = twins[j, i] = trust > _MIN_CONFIDENCE and pose >= limit
            less = box_scores[j] < _LESS * box_scores[i] and common >= _WITHIN * second
            same = common >= _SAME_BOX * (first + second - common) or (twins[i, j] and less)
            copies[j] = copies[j] or (same and not copies[i])
    for i in range(n):
        for j in range(n):
            ambiguous[i] = ambiguous[i] or (twins[i, j] and not copies[j])
    return copies, ambiguous
