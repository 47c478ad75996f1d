"""Boxes of whole groups at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def areas(boxes: Array) -> Array:
    """Return the areas (...) of boxes (..., 4), 0 for a box that is turned inside out."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return sides[..., 0] * sides[..., 1]


def shared(a: Array, b: Array) -> Array:
    """Return the areas (N, M) that every box of `a` (N, 4) shares with every box of `b` (M, 4)."""
    (left, top, right, bottom), others = a.T[..., None], b.T  # an axis at a time is several times as fast
    width = np.minimum(right, others[2]) - np.maximum(left, others[0])
    height = np.minimum(bottom, others[3]) - np.maximum(top, others[1])
    return np.maximum(width, 0) * np.maximum(height, 0)


def inside(a: Array, b: Array) -> Array:
    """Return which part (N, M) of every box of `a` (N, 4) lies in every box of `b` (M, 4)."""
    return shared(a, b) / np.maximum(areas(a), 1e-9)[:, None]


def iou(a: Array, b: Array) -> Array:
    """Return the intersection over union of every box of `a` with every box of `b`.

    Args:
        a: (N, 4) xyxy pixels.
        b: (M, 4) xyxy pixels.

    Returns:
        (N, M) in [0, 1].
    """
    common = shared(a, b)
    return common / np.maximum(areas(a)[:, None] + areas(b)[None] - common, 1e-9)
