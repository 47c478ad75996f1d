"""How alike people are: pure functions of arrays, (N, ...) and (M, ...) to (N, M) in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...models.keypoints import paired_oks

Array = NDArray[np.floating]


def areas(boxes: Array) -> Array:
    """Return the areas (...) of boxes (..., 4), 0 for a box that is turned inside out."""
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(-1)


def intersections(a: Array, b: Array) -> Array:
    """Return the areas (N, M) that every box of `a` (N, 4) shares with every box of `b` (M, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, 0)
    return sides[..., 0] * sides[..., 1]


def iou(a: Array, b: Array) -> Array:
    """Return the intersection over union of every box of `a` with every box of `b`.

    Args:
        a: (N, 4) xyxy pixels.
        b: (M, 4) xyxy pixels.

    Returns:
        (N, M) in [0, 1].
    """
    shared = intersections(a, b)
    return shared / np.maximum(areas(a)[:, None] + areas(b)[None] - shared, 1e-9)


def inside(a: Array, b: Array) -> Array:
    """Return which part (N, M) of every box of `a` (N, 4) lies in every box of `b` (M, 4)."""
    return intersections(a, b) / np.maximum(areas(a), 1e-9)[:, None]


def overlap(
    boxes: tuple[Array, Array],
    keypoints: tuple[Array, Array],
    scores: tuple[Array, Array],
    *,
    sigmas: Sequence[float] | Array,
    part: float = 0.0,
) -> Array:
    """Return the mean of IoU and OKS of every person of the first group with every person of the second.

    Each keypoint counts by the confidence that both poses have in it, and the OKS as a whole by the mean of that, so
    that a pose that is not sure of itself leaves the word to its box. The OKS is computed for boxes that touch only.
    A box that lies in another one may be the visible part of that person, so it counts `part` at the least.

    Args:
        boxes: (N, 4) and (M, 4) xyxy pixels.
        keypoints: (N, K, 2) and (M, K, 2) pixels; NaN where missing.
        scores: (N, K) and (M, K) in [0, 1]; 0 where missing.
        sigmas: (K,).
        part: of the first group's box, what a box of the second group that lies in it counts.

    Returns:
        (N, M) in [0, 1].
    """
    shared = intersections(*boxes)
    first, second = areas(boxes[0])[:, None], areas(boxes[1])[None]
    similarity = np.maximum(
        shared / np.maximum(first + second - shared, 1e-9), part * shared / np.maximum(second, 1e-9)
    )
    i, j = np.nonzero(similarity)
    weights = scores[0][i] * scores[1][j]  # (pairs, K)
    size = (areas(boxes[0])[i] + areas(boxes[1])[j]) / 2
    pose = paired_oks(keypoints[0][i], keypoints[1][j], size, sigmas=np.asarray(sigmas), weights=weights)
    trust = weights.mean(-1) / 2  # at the most, the pose counts as much as the box
    similarity[i, j] += trust * (pose - similarity[i, j])
    return similarity


def reach(boxes: tuple[Array, Array], variances: Array) -> Array:
    """Return how well people of the second group could be those of the first after a time unseen.

    exp(-d2 / 2) of the Mahalanobis distance d of the centres, times the ratio of the heights.

    Args:
        boxes: (N, 4) predicted and (M, 4) measured, xyxy pixels.
        variances: (N,) squared pixels, how uncertain each predicted centre is along each axis.

    Returns:
        (N, M) in [0, 1].
    """
    centres = [(group[:, :2] + group[:, 2:]) / 2 for group in boxes]
    heights = [np.maximum(group[:, 3] - group[:, 1], 1e-9) for group in boxes]
    squared = ((centres[0][:, None] - centres[1][None]) ** 2).sum(-1)  # (N, M)
    ratio = heights[0][:, None] / heights[1][None]
    return np.exp(-squared / (2 * np.maximum(variances, 1e-9)[:, None])) * np.minimum(ratio, 1 / ratio)
