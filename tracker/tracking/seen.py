"""What a frame says of the people in it, as the compiled functions take it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Poses
from .compiled import part

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


class Seen(NamedTuple):
    """N poses of one frame.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K); 0 where missing.
        box_scores: (N,).
        looks: (N, D) of length 1, or D = 0.
    """

    boxes: Array
    keypoints: Array
    scores: Array
    box_scores: Array
    looks: Array


def see(poses: Poses) -> tuple[NDArray[np.float32], ...]:
    """Return the fields of `Seen` with arrays of one kind in memory, so that there is one kind to compile for."""
    fields = poses.boxes, poses.keypoints, poses.scores, poses.box_scores, poses.features
    return tuple([field if field.flags.carray else np.array(field, order="C") for field in fields])


@part
def take(seen: Seen, rows: Rows) -> Seen:
    """Return the poses of these rows, in double precision.

    A keypoint that is not finite, or whose score is not above 0, is made missing.
    """
    n, k, d = len(rows), seen.scores.shape[1], seen.looks.shape[1]
    taken = Seen(np.empty((n, 4)), np.full((n, k, 2), np.nan), np.zeros((n, k)), np.empty(n), np.empty((n, d)))
    for to in range(n):
        row = rows[to]
        taken.box_scores[to] = seen.box_scores[row]
        for edge in range(4):
            taken.boxes[to, edge] = seen.boxes[row, edge]
        for p in range(k):
            x, y = seen.keypoints[row, p, 0], seen.keypoints[row, p, 1]
            if np.isfinite(x) and np.isfinite(y) and seen.scores[row, p] > 0:
                taken.keypoints[to, p, 0], taken.keypoints[to, p, 1] = x, y
                taken.scores[to, p] = seen.scores[row, p]
        for number in range(d):
            taken.looks[to, number] = seen.looks[row, number]
    return taken


@part
def plausible(seen: Seen, low_score: float) -> Rows:
    """Return the poses that can be people, in an order that does not depend on how they were handed in.

    Boxes must be finite, of some area, and of a score of `low_score` or more.
    """
    boxes, keypoints, _, box_scores, _ = seen
    rows, n = np.empty(len(boxes), np.intp), 0
    for row in range(len(boxes)):
        width, height = boxes[row, 2] - boxes[row, 0], boxes[row, 3] - boxes[row, 1]
        if not (0 < width < np.inf and 0 < height < np.inf and box_scores[row] >= low_score):
            continue
        low, high = 0, n
        while low < high:  # where the pose belongs among those before it
            middle = (low + high) // 2
            if _precedes(box_scores, boxes, keypoints, row, rows[middle]):
                high = middle
            else:
                low = middle + 1
        for at in range(n, low, -1):
            rows[at] = rows[at - 1]
        rows[low], n = row, n + 1
    return rows[:n]


@part
def _precedes(box_scores: Array, boxes: Array, keypoints: Array, i: int, j: int) -> bool:
    """Return whether pose i comes before pose j: by box score, then by box, then by keypoints."""
    if box_scores[i] != box_scores[j]:
        return box_scores[i] > box_scores[j]
    for edge in range(4):
        if boxes[i, edge] != boxes[j, edge]:
            return boxes[i, edge] < boxes[j, edge]
    for k in range(keypoints.shape[1]):
        for axis in range(2):
            a, b = keypoints[i, k, axis], keypoints[j, k, axis]
            if a < b or (np.isnan(b) and not np.isnan(a)):
                return True
            if b < a or (np.isnan(a) and not np.isnan(b)):
                return False
    return False
