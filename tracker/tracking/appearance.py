"""How much people look like those of earlier frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STRANGER = 0.6  # product of the looks of two people, as measured: the same person's is .9, another's .5
_RATE = 0.1  # of a new look in the running mean
_UNCOVERED = 0.8  # share of a person that must be in view for their look to be learnt


def likeness(known: Array, looks: Array, uncovered: Array) -> Array:
    """Return how much each look speaks for being each known one; 0 says nothing, less is a stranger.

    Args:
        known: (T, D) of length 1, or zeros where not known.
        looks: (N, D) of length 1.
        uncovered: (N,), the share of each person that nobody hides: a hidden one's box shows another.

    Returns:
        (T, N) from -0.6 to 0.4.
    """
    return np.where((known**2).sum(-1, keepdims=True) > 0, known @ looks.T - _STRANGER, 0.0) * uncovered


def learn(known: Array, looks: Array, uncovered: Array) -> Array:
    """Return the running mean (M, D) with new looks (M, D) taken in; at once where nothing was known.

    Who is less `uncovered` (M,) than most shows another's clothes, and teaches nothing about what is known.
    """
    met = known.any(-1)
    rates = np.where(met, _RATE, 1.0)[:, None]
    means = known + rates * (looks - known)
    means /= np.maximum(np.sqrt((means**2).sum(-1, keepdims=True)), 1e-9)
    return np.where((met & (uncovered <= _UNCOVERED))[:, None], known, means)
