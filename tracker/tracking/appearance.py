"""How much people look like those of earlier frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

_STRANGER = 0.6  # product of the looks of two people, as measured: the same person's is .9, another's .5
_RATE = 0.1  # of a new look in the running mean
_UNCOVERED = 0.8  # share of a person that must be in view for their look to be learnt


def likeness(known: Array, looks: Array, uncovered: Array) -> Array:
    """Return how much every person seen speaks for being every known one; 0 says nothing, less is a stranger.

    Args:
        known: (T, D) of length 1, or zeros where not known.
        looks: (N, D) of length 1.
        uncovered: (N,) share of each person that nobody hides: a hidden one's box shows another.

    Returns:
        (T, N) in [-0.6, 0.4].
    """
    met = (known**2).sum(-1, keepdims=True) > 0  # (T, 1)
    return np.where(met, known @ looks.T - _STRANGER, 0.0) * uncovered


def learn(known: Array, looks: Array, uncovered: Array) -> Array:
    """Return the running mean (M, D) of what was known (M, D) and looks (M, D) of those who are `uncovered` (M,)."""
    met = (known**2).sum(-1) > 0  # (M,)
    rate = np.where(met, _RATE * (uncovered > _UNCOVERED), 1.0)[:, None]
    mean = known + rate * (looks - known)
    return mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-9)
