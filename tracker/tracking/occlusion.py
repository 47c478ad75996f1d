"""Complete the boxes of partly occluded people from their tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import inside

Array = NDArray[np.float64]


def complete(low: Array, high: Array, start: Array, end: Array, tolerance: float, keep: float) -> tuple[Array, Array]:
    """Return the extents of boxes along one axis without occlusion; all arrays have the same shape.

    When a person walks behind a pole, one edge of the box moves on and the other one stops at the pole. A box that is
    narrower or lower than predicted is treated as partly occluded: it is extended from the edge that moved less, to
    the predicted extent. If both edges moved inwards, the predicted center stays. The predicted extent shrinks to
    `keep` per frame, so that a person who crouches or turns sideways gets a smaller box after a while.

    Args:
        low: measured left or upper edge, pixels.
        high: measured right or lower edge, pixels.
        start: predicted left or upper edge, pixels.
        end: predicted right or lower edge, pixels.
        tolerance: share of the predicted extent that may be missing.
        keep: share of the predicted extent that remains after this frame.

    Returns:
        Both edges; the measured ones where nothing is occluded.
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


def visible_shares(boxes: Array) -> Array:
    """Return the share (N,) of each box (N, 4) that no nearer person occludes; nearer boxes end lower in the image."""
    nearer = boxes[:, 3] > boxes[:, 3, None]  # (N, N), whether the second hides the first
    return 1 - (inside(boxes, boxes) * nearer).max(-1, initial=0.0)
