"""Areas and overlaps of boxes, vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def areas(boxes: Array) -> Array:
    """Return the areas (...) of boxes (..., 4), 0 for an inverted box."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def intersections(a: Array, b: Array) -> Array:
    """Return the intersection areas (N, M) of every box of `a` (N, 4) with every box of `b` (M, 4)."""
    (left, top, right, bottom), others = a.T[..., None], b.T  # one axis at a time is several times faster
    width = np.minimum(right, others[2]) - np.maximum(left, others[0])
    height = np.minimum(bottom, others[3]) - np.maximum(top, others[1])
    return np.maximum(width, 0) * np.maximum(height, 0)


def inside(a: Array, b: Array) -> Array:
    """Return the fraction (N, M) of every box of `a` (N, 4) that lies inside every box of `b` (M, 4)."""
    return intersections(a, b) / np.maximum(areas(a), 1e-9)[:, None]


def iou(a: Array, b: Array) -> Array:
    """Return the intersection over union of every box of `a` with every box of `b`.

    Args:
        a: (N, 4) xyxy pixels.
        b: (M, 4) xyxy pixels.

    Returns:
        (N, M) in [0, 1].
    """
    intersection = intersections(a, b)
    return intersection / np.maximum(areas(a)[:, None] + areas(b)[None] - intersection, 1e-9)


def paired_iou(a: Array, b: Array) -> Array:
    """Return the intersection over union (N,) of each box of `a` (N, 4) with the box of `b` (N, 4) in the same row."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    common = areas(np.concatenate([low, high], axis=1))
    return common / np.maximum(areas(a) + areas(b) - common, 1e-9)
