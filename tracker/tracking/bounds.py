"""Bound where keypoints are shown: measured ones near their measurement, predicted ones within the person's reach."""

from __future__ import annotations

import numpy as np

from .kalman import Array
from .sides import Mask
from .state import boxes, lengths

_BEYOND = 0.1  # of the box's longer side: how far a hand reaches out of a box that was measured without it


def near(points: Array, measured: Array, slack: Array) -> Array:
    """Return points (T, K, 2), moved to at most `slack` (T,) pixels from their measurement.

    A filter lags behind a sudden motion, and trusts a measurement with a low score little; an image shows both.

    Args:
        points: (T, K, 2) pixels.
        measured: (T, K, 2) pixels; NaN if not measured.
        slack: (T,) pixels.
    """
    away = points - measured
    distances = np.sqrt(np.square(away).sum(-1))  # NaN if not measured
    far = distances > slack[:, None]
    if not far.any():
        return points
    return np.where(far[..., None], measured + away * (slack[:, None] / np.maximum(distances, 1e-9))[..., None], points)


def within_reach(points: Array, positions: Array, predicted: Mask) -> Array:
    """Return points (T, K, 2), the `predicted` (T, K) of them moved into the reach of their person.

    Args:
        points: (T, K, 2) pixels; NaN if unknown.
        positions: (T, 2 + K, 2) pixels, of which the box is used.
        predicted: (T, K) mask.
    """
    if not predicted.any():
        return points
    box, beyond = boxes(positions), _BEYOND * lengths(positions)[:, None]
    low, high = box[:, None, :2] - beyond[..., None], box[:, None, 2:] + beyond[..., None]
    return np.where(predicted[..., None], np.clip(points, low, high), points)
