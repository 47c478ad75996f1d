"""Compare people's appearance vectors with those of known tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STRANGER = 0.6  # dot product of two appearance vectors between "same" (.9 measured) and "different" (.5)
_RATE = 0.1  # weight of a new vector in the running mean
_UNCOVERED = 0.8  # visible share of a person from which the running mean is updated


def likeness(known: Array, appearance: Array, visible_share: Array) -> Array:
    """Return how alike the appearance of tracks and poses is; 0 is neutral, negative values speak for another person.

    Args:
        known: (T, D) unit vectors of the tracks, or zeros if unknown.
        appearance: (N, D) unit vectors of the poses.
        visible_share: (N,) share of each person that is not occluded; an occluded person's box shows another person.

    Returns:
        (T, N) in [-0.6, 0.4].
    """
    return np.where((known**2).sum(-1, keepdims=True) > 0, known @ appearance.T - _STRANGER, 0.0) * visible_share


def learn(known: Array, appearance: Array, visible_share: Array) -> Array:
    """Return the running means (M, D), updated with new vectors (M, D); the first vector is taken over as it is.

    A person whose `visible_share` (M,) is low shows another person's clothes, so a known mean is kept.
    """
    met = known.any(-1)
    rates = np.where(met, _RATE, 1.0)[:, None]
    means = known + rates * (appearance - known)
    means /= np.maximum(np.sqrt((means**2).sum(-1, keepdims=True)), 1e-9)
    return np.where((met & (visible_share <= _UNCOVERED))[:, None], known, means)
