"""Whole people from their visible parts: a box with a hidden edge is completed by what is known of the person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import part
from .similarity import inside

Array = NDArray[np.float64]


@part
def complete(low: float, high: float, start: float, end: float, tolerance: float, keep: float) -> tuple[float, float]:
    """Return one axis of a box as it would be if nothing hid a part of the person.

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
    if high - low >= (1 - tolerance) * extent:
        return low, high
    whole = max(keep * extent, high - low)
    from_low, from_high = low - start, end - high  # how far each edge moved inwards
    if min(from_low, from_high) > tolerance * extent / 2:
        middle = (start + end) / 2
        return middle - whole / 2, middle + whole / 2
    if from_low > from_high:
        return high - whole, high
    return low, low + whole


@part
def uncovered(boxes: Array) -> Array:
    """Return which share (N,) of each box (N, 4) is not behind somebody nearer, whose box ends lower in the picture."""
    free = np.ones(len(boxes))
    for i in range(len(boxes)):
        for j in range(len(boxes)):
            if boxes[j, 3] > boxes[i, 3]:
                free[i] = min(free[i], 1 - inside(boxes, i, boxes, j))
    return free
