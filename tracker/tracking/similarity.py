"""How alike people are: pure functions of arrays, (N, ...) and (M, ...) to (N, M) in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import part

Array = NDArray[np.float64]


@part
def area(boxes: Array, i: int) -> float:
    """Return the area of box i of (N, 4), 0 for a box that is turned inside out."""
    return max(boxes[i, 2] - boxes[i, 0], 0.0) * max(boxes[i, 3] - boxes[i, 1], 0.0)


@part
def shared(a: Array, i: int, b: Array, j: int) -> float:
    """Return the area that box i of `a` (N, 4) shares with box j of `b` (M, 4)."""
    width = min(a[i, 2], b[j, 2]) - max(a[i, 0], b[j, 0])
    height = min(a[i, 3], b[j, 3]) - max(a[i, 1], b[j, 1])
    return width * height if width > 0 and height > 0 else 0.0


@part
def inside(a: Array, i: int, b: Array, j: int) -> float:
    """Return which part of box i of `a` (N, 4) lies in box j of `b` (M, 4)."""
    return shared(a, i, b, j) / max(area(a, i), 1e-9)


@part
def agreement(
    a: Array, i: int, b: Array, j: int, scores: Array, other_scores: Array, size: float, sigmas: Array
) -> tuple[float, float]:
    """Return the OKS of two poses, and the mean confidence that both have in a keypoint.

    `posetrack.models.keypoints.paired_oks` of one pair, where each keypoint counts by the product of its scores.

    Args:
        a: (N, K, 2) pixels; NaN where missing.
        i: row of `a`.
        b: (M, K, 2) pixels; NaN where missing.
        j: row of `b`.
        scores: (N, K) of `a`; 0 where missing.
        other_scores: (M, K) of `b`; 0 where missing.
        size: squared pixels, the area that stands for both people.
        sigmas: (K,).
    """
    agreed, weights = 0.0, 0.0
    for k in range(len(sigmas)):
        weight = scores[i, k] * other_scores[j, k]
        if weight > 0:
            squared = (a[i, k, 0] - b[j, k, 0]) ** 2 + (a[i, k, 1] - b[j, k, 1]) ** 2
            agreed += weight * np.exp(-squared / (8 * sigmas[k] ** 2 * max(size, 1e-9)))
            weights += weight
    return agreed / max(weights, 1e-9), weights / len(sigmas)


@part
def overlap(
    boxes: Array,
    others: Array,
    keypoints: Array,
    other_keypoints: Array,
    scores: Array,
    other_scores: Array,
    sigmas: Array,
    part: float,
) -> Array:
    """Return the mean of IoU and OKS of every person of the first group with every person of the second.

    Each keypoint counts by the confidence that both poses have in it, and the OKS as a whole by the mean of that, so
    that a pose that is not sure of itself leaves the word to its box. The OKS is computed for boxes that touch only.
    A box that lies in another one may be the visible part of that person, so it counts `part` at the least.

    Args:
        boxes: (N, 4) xyxy pixels.
        others: (M, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        other_keypoints: (M, K, 2) pixels; NaN where missing.
        scores: (N, K) in [0, 1]; 0 where missing.
        other_scores: (M, K) in [0, 1]; 0 where missing.
        sigmas: (K,).
        part: of the first group's box, what a box of the second group that lies in it counts.

    Returns:
        (N, M) in [0, 1].
    """
    values = np.zeros((len(boxes), len(others)))
    for i in range(len(boxes)):
        for j in range(len(others)):
            common = shared(boxes, i, others, j)
            if common == 0.0:
                continue
            first, second = area(boxes, i), area(others, j)
            box = max(common / max(first + second - common, 1e-9), part * common / max(second, 1e-9))
            size = (first + second) / 2
            pose, trust = agreement(keypoints, i, other_keypoints, j, scores, other_scores, size, sigmas)
            values[i, j] = box + trust / 2 * (pose - box)  # at the most, the pose counts as much as the box
    return values


@part
def reach(boxes: Array, i: int, others: Array, j: int, variance: float) -> float:
    """Return how well person j of the second group could be person i of the first after a time unseen, in [0, 1].

    exp(-d2 / 2) of the Mahalanobis distance d of the centres, times the ratio of the heights.

    Args:
        boxes: (N, 4) predicted, xyxy pixels.
        i: row of `boxes`.
        others: (M, 4) measured, xyxy pixels.
        j: row of `others`.
        variance: squared pixels, how uncertain the predicted centre is along each axis.
    """
    across = (boxes[i, 0] + boxes[i, 2] - others[j, 0] - others[j, 2]) / 2
    down = (boxes[i, 1] + boxes[i, 3] - others[j, 1] - others[j, 3]) / 2
    height, other = max(boxes[i, 3] - boxes[i, 1], 1e-9), max(others[j, 3] - others[j, 1], 1e-9)
    likely = np.exp(-(across**2 + down**2) / (2 * max(variance, 1e-9)))
    return likely * min(height, other) / max(height, other)
