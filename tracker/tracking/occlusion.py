"""Whole people from their visible parts: a box with a hidden edge is completed by what is known of the person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import inside

Array = NDArray[np.float64]


def complete(low: Array, high: Array, start: Array, end: Array, tolerance: float, keep: float) -> tuple[Array, Array]:
    """Return an axis of boxes as it would be if nothing hid a part of the people; all arrays have one shape.

    Somebody who walks behind a pole is seen on one side of it: one edge of the box goes on, the other one stays. A box
    that is narrower or lower than expected is taken for such a part. It is extended from the edge that moved less, to
    the expected extent; where both edges moved inwards, the expected centre stays. The expected extent shrinks to
    `keep`, so that who crouches or turns sideways for long is believed.

    Args:
        low: pixels, the left or upper edge as measured.
        high: pixels, the right or lower edge as measured.
        start: pixels, the left or upper edge as predicted.
        end: pixels, the right or lower edge as predicted.
        tolerance: share of the expected extent that may be missing.
        keep: share of the expected extent that is left of it.

    Returns:
        Both edges; they are those that were given where nothing is hidden.
    """
    extent = end - start
    part = high - low < (1 - tolerance) * extent
    if not np.any(part):
        return low, high
    whole = np.maximum(keep * extent, high - low)
    from_low, from_high = low - start, end - high  # how far each edge moved inwards
    both = np.minimum(from_low, from_high) > tolerance * extent / 2
    middle, ends = (start + end) / 2, from_low > from_high
    first = np.where(both, middle - whole / 2, np.where(ends, high - whole, low))
    last = np.where(both, middle + whole / 2, np.where(ends, high, low + whole))
    return np.where(part, first, low), np.where(part, last, high)


def uncovered(boxes: Array) -> Array:
    """Return which share (N,) of each box (N, 4) is not behind somebody nearer, whose box ends lower in the picture."""
    nearer = boxes[:, 3] > boxes[:, 3, None]  # (N, N), whether the second hides the first
    return 1 - (inside(boxes, boxes) * nearer).max(-1, initial=0.0)
