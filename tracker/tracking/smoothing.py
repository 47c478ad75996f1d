"""The One-Euro filter: calm at rest, quick in motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LATENCIES = {"none": 0, "kalman": 0, "one-euro": 10}  # ms in an ordinary walk; docs/decisions/0011-smoothing.md


def share(cutoff: float | Array, dt: float) -> float | Array:
    """Return how much of a new sample a first-order low-pass takes (Casiez et al. 2012, equation 5)."""
    turn = 2 * np.pi * cutoff * dt
    return turn / (turn + 1)


def one_euro(
    positions: Array,
    velocities: Array,
    smooth: Array,
    rates: Array,
    *,
    dt: float,
    sizes: Array,
    min_cutoff: float,
    beta: float,
    rate_cutoff: float,
    rest_speed: float,
) -> tuple[Array, Array]:
    """Smooth all keypoints of all tracks by one step (Casiez, Roussel and Vogel, CHI 2012, algorithm 1).

    The paper's speed is the difference to the last smoothed position over dt, which noise raises, and the frame rate
    too. Here it is a Kalman filter's velocity, and only what exceeds the speed that noise feigns at rest counts, as
    squares, since the noise of the two axes adds up so. The speed is that of the point, not of one axis, so that the
    picture may be turned, and it is measured in sizes of the person, so that near and far people are treated alike.

    Args:
        positions: (T, K, 2) pixels, of this frame; NaN where missing.
        velocities: (T, K, 2) pixels per second, of this frame.
        smooth: (T, K, 2) pixels, what this function returned for the last frame; NaN where a keypoint is new.
        rates: (T, K, 2) pixels per second, returned for the last frame.
        dt: seconds since the last frame.
        sizes: (T,) pixels.
        min_cutoff: Hz, the cutoff frequency at rest; lower is calmer.
        beta: Hz per (size per second), how fast the cutoff rises with the speed; higher lags less.
        rate_cutoff: Hz, the cutoff of the velocity itself.
        rest_speed: sizes per second, below which a keypoint counts as resting.

    Returns:
        The smoothed positions and the rates, to be handed in with the next frame.
    """
    fresh = np.isnan(smooth)
    rates = np.where(fresh, velocities, rates + share(rate_cutoff, dt) * (velocities - rates))
    squares = np.square(rates).sum(-1) / np.square(sizes)[:, None]  # (T, K)
    speeds = np.sqrt(np.maximum(squares - rest_speed**2, 0.0))
    taken = np.asarray(share(min_cutoff + beta * speeds, dt))[..., None]
    return np.where(fresh, positions, smooth + taken * (positions - smooth)), rates
