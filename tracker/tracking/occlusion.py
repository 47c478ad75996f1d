"""Whole people from their visible parts: a box with a hidden edge is completed by what is known of the person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .similarity import inside

Array = NDArray[np.float64]


def complete(boxes: Array, expected: Array, *, tolerance: float, keep: float) -> tuple[Array, NDArray[np.bool_]]:
    """Return boxes as they would be if nothing hid a part of the person.

    Somebody who walks behind a pole is seen on one side of it: one edge of the box goes on, the other one stays. A box
    that is narrower or lower than expected is taken for such a part. It is extended from the edge that moved less, to
    the expected extent; where both edges moved inwards, the expected centre stays. The expected extent shrinks to
    `keep`, so that who crouches or turns sideways for long is believed.

    Args:
        boxes: (N, 4) xyxy pixels, as measured.
        expected: (N, 4) xyxy pixels, as predicted.
        tolerance: share of the expected extent that may be missing.
        keep: share of the expected extent that is left of it.

    Returns:
        The completed boxes (N, 4), and where (N, 2) width and height were completed.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    expected_low, expected_high = expected[:, :2], expected[:, 2:]
    extent = expected_high - expected_low  # (N, 2)
    part = (high - low) < (1 - tolerance) * extent  # (N, 2)
    if not part.any():
        return boxes, part
    from_low, from_high = low - expected_low, expected_high - high  # how far each edge moved inwards
    whole = np.maximum(keep * extent, high - low)
    both = np.minimum(from_low, from_high) > tolerance * extent / 2
    middle = (expected_low + expected_high - whole) / 2
    start = np.where(both, middle, np.where(from_low > from_high, high - whole, low))
    low, high = np.where(part, start, low), np.where(part, start + whole, high)
    return np.concatenate([low, high], axis=-1), part


def uncovered(boxes: NDArray[np.floating]) -> Array:
    """Return which share (N,) of each box (N, 4) is not behind somebody nearer, whose box ends lower in the picture."""
    nearer = boxes[None, :, 3] > boxes[:, None, 3]  # (N, N)
    return 1 - (inside(boxes, boxes) * nearer).max(-1, initial=0.0)
