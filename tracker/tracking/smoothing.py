"""The One-Euro filter: calm at rest, quick in motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def share(cutoff: float | Array, dt: float) -> float | Array:
    """Return how much of a new sample a first-order low-pass takes (Casiez et al. 2012, equation 5)."""
    turn = 2 * np.pi * cutoff * dt
    return turn / (turn + 1)


def one_euro(
    positions: Array,
    smooth: Array,
    rates: Array,
    *,
    dt: float,
    sizes: Array,
    min_cutoff: float,
    beta: float,
    rate_cutoff: float,
) -> tuple[Array, Array]:
    """Smooth all keypoints of all tracks by one step (Casiez, Roussel and Vogel, CHI 2012, algorithm 1).

    The speed is that of the point, not of one axis, so that the picture may be turned, and it is measured in sizes of
    the person, so that near and far people are treated alike.

    Args:
        positions: (T, K, 2) pixels, of this frame; NaN where missing.
        smooth: (T, K, 2) pixels, what this function returned for the last frame; NaN where a keypoint is new.
        rates: (T, K, 2) pixels per second, returned for the last frame.
        dt: seconds since the last frame.
        sizes: (T,) pixels.
        min_cutoff: Hz, the cutoff frequency at rest; lower is calmer.
        beta: Hz per (size per second), how fast the cutoff rises with the speed; higher lags less.
        rate_cutoff: Hz, the cutoff of the speed itself.

    Returns:
        The smoothed positions and the rates, to be handed in with the next frame.
    """
    fresh = np.isnan(smooth)
    change = np.where(fresh, 0.0, (positions - smooth) / dt)  # (T, K, 2)
    change = np.where(np.isnan(change), 0.0, change)
    rates = np.where(fresh, 0.0, rates)
    rates = rates + share(rate_cutoff, dt) * (change - rates)
    speeds = np.sqrt((rates**2).sum(-1)) / sizes[:, None]  # (T, K)
    taken = np.asarray(share(min_cutoff + beta * speeds, dt))[..., None]
    return np.where(fresh, positions, smooth + taken * (positions - smooth)), rates
