"""What a frame says of the people in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Poses

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


def see(poses: Poses) -> Seen:
    """Return the poses as they were estimated."""
    fields: Any = (poses.boxes, poses.keypoints, poses.scores, poses.box_scores, poses.features)  # single precision
    return Seen(*fields)


def take(seen: Seen, rows: Rows) -> Seen:
    """Return the poses of these rows, in double precision.

    A keypoint that is not finite, or whose score is not above 0, is made missing.
    """
    boxes, keypoints, scores, box_scores, looks = [np.asarray(array[rows], dtype=np.float64) for array in seen]
    known = np.isfinite(keypoints).all(-1) & (scores > 0)  # (M, K)
    keypoints = np.where(known[..., None], keypoints, np.nan)
    return Seen(boxes, keypoints, np.where(known, scores, 0.0), box_scores, looks)


def plausible(seen: Seen, low_score: float) -> Rows:
    """Return the poses that can be people, in an order that does not depend on how they were handed in.

    Boxes must be finite, of some area, and of a score of `low_score` or more. The order is by box score, then by box,
    then by keypoints.
    """
    boxes, keypoints, _, box_scores, _ = seen
    sides = boxes[:, 2:] - boxes[:, :2]
    fit = ((sides > 0) & (sides < np.inf)).all(-1) & (box_scores >= low_score)
    rows = np.flatnonzero(fit)
    if len(rows) < 2:
        return rows
    values = np.concatenate([-box_scores[rows, None], boxes[rows]], axis=1)
    order = np.lexsort(values.T[::-1])
    if (values[order[1:]] == values[order[:-1]]).all(-1).any():
        values = np.concatenate([values, keypoints[rows].reshape(len(rows), -1)], axis=1)
        order = np.lexsort(values.T[::-1])
    return rows[order]
