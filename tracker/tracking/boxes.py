"""Boxes of whole groups at once, for those outside of the tracker; its own functions take them one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def areas(boxes: Array) -> Array:
    """Return the areas (...) of boxes (..., 4), 0 for a box that is turned inside out."""
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(-1)


def iou(a: Array, b: Array) -> Array:
    """Return the intersection over union of every box of `a` with every box of `b`.

    Args:
        a: (N, 4) xyxy pixels.
        b: (M, 4) xyxy pixels.

    Returns:
        (N, M) in [0, 1].
    """
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(-1)
    return shared / np.maximum(areas(a)[:, None] + areas(b)[None] - shared, 1e-9)
