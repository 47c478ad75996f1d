"""The observations of one frame: the poses that may be matched to tracks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Poses
from .config import TrackerConfig
from .duplicates import distinct
from .occlusion import hidden_edges, visible_shares

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


class Observations(NamedTuple):
    """N poses of one frame, the most confident first.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) keypoint scores; 0 where missing.
        box_scores: (N,).
        appearance: (N, P, D), a unit vector of each part of the body; zeros if it is not visible, P = 0 if
            there are none.
        ambiguous: (N,) whether the keypoints may belong to another person.
        visible_share: (N,) share of each person that no nearer person hides.
        hidden_edges: (N, 4) edges of the boxes that a nearer person may hide.
    """

    boxes: Array
    keypoints: Array
    scores: Array
    box_scores: Array
    appearance: Array
    ambiguous: NDArray[np.bool_]
    visible_share: Array
    hidden_edges: NDArray[np.bool_]

    def select(self, rows: Rows) -> Observations:
        """Return the poses of these rows."""
        rest: Any = [array[rows] for array in self]
        return Observations(*rest)


def observe(poses: Poses, sigmas: Array, options: TrackerConfig) -> Observations:
    """Return the plausible poses of a frame without duplicates, the most confident first.

    Keypoints that are not finite, or whose score is not above 0, become missing.

    Args:
        poses: poses of one frame.
        sigmas: (K,) OKS sigmas.
        options: options of the tracker.
    """
    rows = plausible(poses, options.low_score)
    arrays = poses.boxes, poses.keypoints, poses.scores, poses.box_scores, poses.features
    boxes, keypoints, scores, box_scores, appearance = [np.asarray(array[rows], dtype=np.float64) for array in arrays]
    known = np.isfinite(keypoints).all(-1) & (scores > 0)  # (M, K)
    keypoints, scores = np.where(known[..., None], keypoints, np.nan), np.where(known, scores, 0.0)
    rows, ambiguous = distinct(boxes, keypoints, scores, box_scores, sigmas, options.duplicate)
    boxes = boxes[rows]
    return Observations(
        boxes,
        keypoints[rows],
        scores[rows],
        box_scores[rows],
        appearance[rows],
        ambiguous,
        visible_shares(boxes),
        hidden_edges(boxes),
    )


def plausible(poses: Poses, low_score: float) -> Rows:
    """Return the rows of plausible poses, in an order that does not depend on the input order.

    A plausible box is finite, has a positive area and a score of at least `low_score`. The order is by box score, then
    by box, then by keypoints.
    """
    sides = poses.boxes[:, 2:] - poses.boxes[:, :2]
    fit = ((sides > 0) & (sides < np.inf)).all(-1) & (poses.box_scores >= low_score)
    rows = np.flatnonzero(fit)
    if len(rows) < 2:
        return rows
    values = np.concatenate([-poses.box_scores[rows, None], poses.boxes[rows]], axis=1)
    order = np.lexsort(values.T[::-1])
    if (values[order[1:]] == values[order[:-1]]).all(-1).any():
        values = np.concatenate([values, poses.keypoints[rows].reshape(len(rows), -1)], axis=1)
        order = np.lexsort(values.T[::-1])
    return rows[order]
