"""Similarity of people: pure functions of arrays, (N, ...) and (M, ...) to (N, M) in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import areas, intersections
from .compiled import kernel, subroutine

Array = NDArray[np.float64]


@subroutine
def agreement(
    a: Array, i: int, b: Array, j: int, scores: Array, other_scores: Array, size: float, sigmas: Array
) -> tuple[float, float]:
    """Return the OKS of two poses, and the mean over keypoints of the product of both scores.

    The OKS equals `keypoints.paired_oks` of one pair, weighted by the product of the keypoint scores.

    Args:
        a: (N, K, 2) pixels; NaN where missing.
        i: row of `a`.
        b: (M, K, 2) pixels; NaN where missing.
        j: row of `b`.
        scores: (N, K) of `a`; 0 where missing.
        other_scores: (M, K) of `b`; 0 where missing.
        size: area of both people for the OKS, squared pixels.
        sigmas: (K,) OKS sigmas.
    """
    agreed, weights = 0.0, 0.0
    for k in range(len(sigmas)):
        weight = scores[i, k] * other_scores[j, k]
        if weight > 0:
            squared = (a[i, k, 0] - b[j, k, 0]) ** 2 + (a[i, k, 1] - b[j, k, 1]) ** 2
            agreed += weight * np.exp(-squared / (8 * sigmas[k] ** 2 * max(size, 1e-9)))
            weights += weight
    return agreed / max(weights, 1e-9), weights / len(sigmas)


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
    """Return the mean of IoU and OKS of each person of the first group with each person of the second.

    Each keypoint is weighted by the product of its scores, and the OKS as a whole by the mean of these weights, so
    that the IoU dominates for poses of low confidence. The OKS is computed for overlapping boxes only. A box inside
    another one may be the visible part of that person, so its similarity is at least `part`.

    Args:
        boxes: (N, 4) xyxy pixels.
        others: (M, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        other_keypoints: (M, K, 2) pixels; NaN where missing.
        scores: (N, K) in [0, 1]; 0 where missing.
        other_scores: (M, K) in [0, 1]; 0 where missing.
        sigmas: (K,) OKS sigmas.
        part: minimum similarity of a box of the second group that lies inside a box of the first group.

    Returns:
        (N, M) in [0, 1].
    """
    return _mix(
        intersections(boxes, others),
        areas(boxes),
        areas(others),
        keypoints,
        other_keypoints,
        scores,
        other_scores,
        sigmas,
        part,
    )


@kernel
def _mix(
    shared: Array,
    areas: Array,
    other_areas: Array,
    keypoints: Array,
    other_keypoints: Array,
    scores: Array,
    other_scores: Array,
    sigmas: Array,
    part: float,
) -> Array:
    """Return the result of `overlap`, given the intersections (N, M) and the areas (N,) and (M,) of the boxes."""
    values = np.zeros(shared.shape)
    for i in range(len(areas)):
        for j in range(len(other_areas)):
            common = shared[i, j]
            if common == 0.0:
                continue
            first, second = areas[i], other_areas[j]
            box = max(common / max(first + second - common, 1e-9), part * common / max(second, 1e-9))
            size = (first + second) / 2
            pose, trust = agreement(keypoints, i, other_keypoints, j, scores, other_scores, size, sigmas)
            values[i, j] = box + trust / 2 * (pose - box)  # the pose weighs half at most
    return values


def reappearance_likelihood(boxes: Array, others: Array, variances: Array) -> Array:
    """Return the likelihood that people of the second group are those of the first after an occlusion.

    exp(-d2 / 2) of the Mahalanobis distance d of the centres, times the ratio of the heights.

    Args:
        boxes: (N, 4) predicted, xyxy pixels.
        others: (M, 4) measured, xyxy pixels.
        variances: (N,) variance of each predicted center along each axis, squared pixels.

    Returns:
        (N, M) in [0, 1].
    """
    (left, top, right, bottom), (lefts, tops, rights, bottoms) = boxes.T[..., None], others.T
    across, down = (left + right - lefts - rights) / 2, (top + bottom - tops - bottoms) / 2  # (N, M)
    squared = across**2 + down**2
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1e-9)[:, None]
    other_heights = np.maximum(others[:, 3] - others[:, 1], 1e-9)
    likely = np.exp(-squared / (2 * np.maximum(variances, 1e-9)[:, None]))
    return likely * np.minimum(heights, other_heights) / np.maximum(heights, other_heights)
