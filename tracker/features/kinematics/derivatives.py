"""Velocity and acceleration of samples at irregular times, from a cubic fitted to a short window.

The window is centred, so the phase is zero; at a constant frame rate this is the filter of Savitzky and Golay (1964)
of order 3. With 0.14 s on either side, a velocity keeps 98 % of its amplitude at 2 Hz and half of it at 5 Hz, an
acceleration half of it at 3 Hz: human movement is below these frequencies, keypoint noise above.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HALF_WINDOW = 0.14  # seconds before and after
NEIGHBOURS = 2  # minimum number of samples on either side; at low frame rates the window grows to include them
FARTHEST = 0.5  # seconds, maximum extent of the window
_HANKEL = np.add.outer(np.arange(4), np.arange(4))  # power of time in each entry of the normal equations
_SIDES: tuple[tuple[int, Literal["left", "right"]], ...] = ((-1, "left"), (1, "right"))
FILTER = {  # written to the sidecars of the tables
    "derivatives": "least-squares cubic through a centred window of samples at their true times (Savitzky-Golay)",
    "half_window_s": HALF_WINDOW,
    "neighbours": NEIGHBOURS,
    "phase": "zero",
    "latency": f"a live row is written {HALF_WINDOW} s and a frame later, at least {NEIGHBOURS} frames",
    "angles": "not filtered beyond the keypoints' own smoothing",
}


def derivatives(times: Array, values: Array) -> tuple[Array, Array]:
    """Fit a cubic to each signal by least squares and return its derivatives.

    Args:
        times: (W,) seconds relative to the frame of interest.
        values: (W, ...); NaN where missing.

    Returns:
        First and second derivative (...) at time 0; NaN with fewer than two samples on either side.
    """
    fitted = _cubic(times, values)
    return fitted[1], 2 * fitted[2]


def smoothed(times: Array, values: Array) -> Array:
    """Return signals (T, ...) at the values of their cubics; near a gap or an end, and where missing, as they are.

    Args:
        times: (T,) seconds, ascending.
        values: (T, ...); NaN where missing.
    """
    first, last = (np.searchsorted(times, times + side * HALF_WINDOW, side=where) for side, where in _SIDES)
    fitted = [
        _cubic(times[a:b] - time, values[a:b])[0]
        for time, a, b in zip(times, first.tolist(), last.tolist(), strict=True)
    ]
    known = np.array(fitted).reshape(values.shape)
    return np.where(np.isfinite(known) & np.isfinite(values), known, values)


def _cubic(times: Array, values: Array) -> Array:
    """Return the coefficients (4, ...) of the cubics; NaN with fewer than two samples on either side of time 0."""
    if len(times) < 2 * NEIGHBOURS:
        return np.full((4, *values.shape[1:]), np.nan)
    shape, values = values.shape[1:], values.reshape(len(times), -1)  # (W, M)
    known = np.isfinite(values)
    enough = (known[times < 0].sum(0) >= NEIGHBOURS) & (known[times > 0].sum(0) >= NEIGHBOURS)
    reach = max(float(np.abs(times).max()), 1e-9)
    powers = (times / reach) ** np.arange(7)[:, None]  # (7, W)
    weights = np.where(enough, known, 1.0)  # weights of 1 keep the unused systems regular
    sums = (powers @ weights).T  # (M, 7)
    products = sums[:, _HANKEL] + 1e-9 * np.eye(4)  # (M, 4, 4); the ridge keeps frames with equal timestamps regular
    moments = (powers[:4] @ np.where(known, values, 0.0)).T  # (M, 4)
    fitted = np.linalg.solve(products, moments[..., None])[..., 0] / reach ** np.arange(4)  # (M, 4)
    return np.where(enough, fitted.T, np.nan).reshape(4, *shape)
