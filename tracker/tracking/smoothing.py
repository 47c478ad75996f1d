"""The One-Euro filter: calm at rest, quick in motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import kernel, part

Array = NDArray[np.float64]


@part
def share(cutoff: float, dt: float) -> float:
    """Return how much of a new sample a first-order low-pass takes (Casiez et al. 2012, equation 5)."""
    turn = 2 * np.pi * cutoff * dt
    return turn / (turn + 1)


@kernel
def one_euro(
    positions: Array,
    velocities: Array,
    smooth: Array,
    rates: Array,
    sizes: Array,
    dt: float,
    min_cutoff: float,
    beta: float,
    rate_cutoff: float,
    rest_speed: float,
) -> None:
    """Smooth all keypoints of all tracks by one step, in place (Casiez, Roussel and Vogel, CHI 2012, algorithm 1).

    The paper's speed is the difference to the last smoothed position over dt, which noise raises, and the frame rate
    too. Here it is a Kalman filter's velocity, and only what exceeds the speed that noise feigns at rest counts, as
    squares, since the noise of the two axes adds up so. The speed is that of the point, not of one axis, so that the
    picture may be turned, and it is measured in sizes of the person, so that near and far people are treated alike.

    Args:
        positions: (T, K, 2) pixels, of this frame; NaN where missing.
        velocities: (T, K, 2) pixels per second, of this frame.
        smooth: (T, K, 2) pixels, of the last frame, NaN where a keypoint is new; becomes that of this frame.
        rates: (T, K, 2) pixels per second, the low-passed velocities of the last frame; becomes that of this frame.
        sizes: (T,) pixels.
        dt: seconds since the last frame.
        min_cutoff: Hz, the cutoff frequency at rest; lower is calmer.
        beta: Hz per (size per second), how fast the cutoff rises with the speed; higher lags less.
        rate_cutoff: Hz, the cutoff of the velocity itself.
        rest_speed: sizes per second, below which a keypoint counts as resting.
    """
    follow = share(rate_cutoff, dt)
    for t in range(positions.shape[0]):
        for k in range(positions.shape[1]):
            if np.isnan(smooth[t, k, 0]):
                for axis in range(2):
                    smooth[t, k, axis], rates[t, k, axis] = positions[t, k, axis], velocities[t, k, axis]
                continue
            for axis in range(2):
                rates[t, k, axis] += follow * (velocities[t, k, axis] - rates[t, k, axis])
            squared = (rates[t, k, 0] ** 2 + rates[t, k, 1] ** 2) / sizes[t] ** 2
            speed = np.sqrt(max(squared - rest_speed**2, 0.0))
            taken = share(min_cutoff + beta * speed, dt)
            for axis in range(2):
                smooth[t, k, axis] += taken * (positions[t, k, axis] - smooth[t, k, axis])
