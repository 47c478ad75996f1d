"""The observations of one frame: the poses that may be matched to tracks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Poses

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_POSE = 2.0  # weight of the keypoint score, if that of the box score is 1
_DOUBT = 0.1  # distance from `person_score` at which a pose is entirely a person, or entirely none


class Observations(NamedTuple):
    """N poses of one frame.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) keypoint scores; 0 where missing.
        box_scores: (N,).
        appearance: (N, P, D), a unit vector of each part of the body; zeros if it is not visible, P = 0 if
            there are none.
    """

    boxes: Array
    keypoints: Array
    scores: Array
    box_scores: Array
    appearance: Array


def from_poses(poses: Poses) -> Observations:
    """Return the arrays of estimated poses, unchanged."""
    fields: Any = (poses.boxes, poses.keypoints, poses.scores, poses.box_scores, poses.features)  # single precision
    return Observations(*fields)


def take(observed: Observations, rows: Rows) -> Observations:
    """Return the poses of these rows, in double precision.

    Keypoints that are not finite, or whose score is not above 0, become missing.
    """
    boxes, keypoints, scores, box_scores, appearance = [np.asarray(array[rows], dtype=np.float64) for array in observed]
    known = np.isfinite(keypoints).all(-1) & (scores > 0)  # (M, K)
    keypoints = np.where(known[..., None], keypoints, np.nan)
    return Observations(boxes, keypoints, np.where(known, scores, 0.0), box_scores, appearance)


def plausible(observed: Observations, low_score: float) -> Rows:
    """Return the rows of plausible poses, in an order that does not depend on the input order.

    A plausible box is finite, has a positive area and a score of at least `low_score`. The order is by box score, then
    by box, then by keypoints.
    """
    boxes, keypoints, _, box_scores, _ = observed
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


def best(scores: Array) -> Array:
    """Return the mean (N,) of the highest third of each pose's keypoint scores (N, K), those of the visible parts."""
    count = max((scores.shape[1] + 2) // 3, 1)
    return np.asarray(np.sort(scores, axis=1)[:, -count:].mean(-1))


def evidence_of_person(observed: Observations, person_score: float) -> Array:
    """Return how strong the evidence of a person is in each pose (N,), in [-1, 1]; below 0, it is evidence against.

    It is 0 if the mean of the box score and the keypoint score of the visible parts, which counts twice, equals
    `person_score`, and 1 if that mean is .1 higher. It is 1 for poses without keypoints, and for boxes with score 1,
    which no detector gives: they come from a file or a function of the user.
    """
    mean = (observed.box_scores + _POSE * best(observed.scores)) / (1 + _POSE)
    doubtful = observed.scores.any(-1) & (observed.box_scores < 1)
    return np.where(doubtful, np.clip((mean - person_score) / _DOUBT, -1.0, 1.0), 1.0)
