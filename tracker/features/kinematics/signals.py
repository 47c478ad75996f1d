"""Arithmetic of signals over time: an even grid, smoothing without phase shift, turning points, and asymmetry."""

from __future__ import annotations

import numpy as np

from ....errors import InputError
from .points import Array

RATE = 100.0  # samples per second of an even grid
LEAST_KNOWN = 50.0  # percent of the frames in which each side of an asymmetry is known, so that both show one movement
LONGEST_GAP = 0.25  # seconds over which a missing value is interpolated
_LONGEST = 2e5  # seconds of a signal
LEAST_RANGE = 10.0  # degrees; with less on both sides there is no asymmetry index


def resample(times: Array, values: Array) -> tuple[Array, Array]:
    """Interpolate a signal at irregular times on an even grid of `RATE`.

    Args:
        times: (T,) seconds, increasing.
        values: (T,); NaN where missing.

    Returns:
        Seconds (G,) and values (G,); NaN in gaps longer than `LONGEST_GAP`.

    Raises:
        InputError: the times are over two days apart, as after a wrong time, and the grid would fill the memory.
    """
    known = np.isfinite(values)
    if len(times) and times[-1] - times[0] > _LONGEST:
        raise InputError(
            f"One person's times are {times[-1] - times[0]:g} s apart, at most {_LONGEST:g} s can be measured. "
            "Correct the times, or cut the table."
        )
    grid = np.arange(times[0], times[-1] + 0.5 / RATE, 1 / RATE) if len(times) else np.zeros(0)
    if known.sum() < 2:
        return grid, np.full(len(grid), np.nan)
    at = times[known]
    after = np.clip(np.searchsorted(at, grid), 1, len(at) - 1)
    inside = (grid >= at[0]) & (grid <= at[-1]) & (at[after] - at[after - 1] <= LONGEST_GAP)
    return grid, np.where(inside, np.interp(grid, at, values[known]), np.nan)


def smooth(values: Array, seconds: float) -> Array:
    """Smooth a signal on the even grid with a Gaussian of a standard deviation in seconds; missing values stay."""
    reach = np.arange(-np.ceil(3 * seconds * RATE), np.ceil(3 * seconds * RATE) + 1)
    kernel = np.exp(-0.5 * np.square(reach / (seconds * RATE)))
    known = np.isfinite(values)
    half = len(reach) // 2
    signals = np.where(known, values, 0.0), known.astype(np.float64)
    sums, weights = (np.convolve(np.pad(signal, half), kernel, mode="valid") for signal in signals)
    return np.where(known, sums / np.maximum(weights, 1e-9), np.nan)


def turning_points(values: Array, least: float) -> tuple[list[int], list[int]]:
    """Return the maxima and the minima of a signal, in turn, that differ by `least` or more from their neighbours.

    Args:
        values: (G,); a missing value ends one series of turning points and begins another.
        least: in units of the signal.
    """
    peaks: list[int] = []
    valleys: list[int] = []
    high = low = -1  # candidates; -1 for none
    rising = 0  # 1 upwards, -1 downwards, 0 unknown
    for row, value in enumerate(values.tolist()):
        if np.isnan(value):
            high = low = -1
            rising = 0
            continue
        high = row if high < 0 or value > values[high] else high
        low = row if low < 0 or value < values[low] else low
        if rising >= 0 and values[high] - value >= least:
            if rising:
                peaks.append(high)
            rising, low = -1, row
        elif rising <= 0 and value - values[low] >= least:
            if rising:
                valleys.append(low)
            rising, high = 1, row
    return peaks, valleys


def asymmetry_index(left: Array, right: Array, *, least: float = LEAST_RANGE) -> Array:
    """Return 200 (L - R) / (L + R) of two sides, in percent (Robinson et al. 1987).

    Args:
        left: ranges of motion in degrees, or another measure that is not negative.
        right: of the other side.
        least: value that one side must reach; the index is NaN otherwise.
    """
    index = 200 * (left - right) / np.maximum(left + right, 1e-9)
    return np.where(np.fmax(left, right) >= least, index, np.nan)
