"""Jitter of keypoints at rest and lag in motion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .matching import Comparison

Array = NDArray[np.float64]

REST = 0.05  # heights per second: keypoints at rest are slower, and so is their person
FAST = 0.5  # heights per second: minimum speed of a fast keypoint, such as an ankle in a normal walk
_NEIGHBOURS = 0.25  # seconds, maximum time between the frames of a finite difference
_LAGS = np.arange(-0.2, 0.4001, 0.005)  # seconds


class Path(NamedTuple):
    """One person in truth and result, F frames.

    Attributes:
        times: (F,) seconds, ascending.
        heights: (F,) heights of the true box, pixels.
        truth: (F, K, 2) pixels.
        result: (F, K, 2) pixels; NaN where the person or keypoint is missing.
        speeds: (F, K) of the truth, heights per second; NaN at the ends and at gaps.
    """

    times: Array
    heights: Array
    truth: Array
    result: Array
    speeds: Array


def times_of(comparison: Comparison, *, fps: float | None = None) -> Array:
    """Return the times (R,) of all true rows, seconds; NaN if unknown.

    Times are from the truth's file, or else from the result's; if they lack any, from the frame number and `fps`.
    """
    truth, result = comparison.truth, comparison.result
    known = {frame: time for people in (result, truth) for frame, time in zip(people.frames.tolist(), people.times)}
    times = np.array([known.get(frame, np.nan) for frame in truth.frames.tolist()], np.float64)
    return truth.frames / fps if fps and np.isnan(times).any() else times


def paths(comparison: Comparison, *, fps: float | None = None) -> list[Path]:
    """Collect the path of each true person through the video, regardless of the result's ids.

    Frames whose time `times_of` does not know are left out.

    Returns:
        One path per person; none without times or keypoints.
    """
    truth, result = comparison.truth, comparison.result.in_skeleton(comparison.truth.skeleton)
    found, all_times = np.full_like(truth.keypoints, np.nan), times_of(comparison, fps=fps)  # (R, K, 2), (R,)
    rows, others = comparison.pairs()
    found[rows] = result.keypoints[others]
    people = []
    for person in np.unique(truth.ids):
        mine = np.flatnonzero((truth.ids == person) & ~np.isnan(all_times))
        times = all_times[mine]
        if len(mine) < 3 or not len(truth.skeleton):
            continue
        heights = np.maximum(truth.boxes[mine, 3] - truth.boxes[mine, 1], 1.0)
        people.append(
            Path(times, heights, truth.keypoints[mine], found[mine], _speeds(times, truth.keypoints[mine], heights))
        )
    return people


def _speeds(times: Array, points: Array, heights: Array) -> Array:
    speeds = np.full(points.shape[:2], np.nan)
    span = times[2:] - times[:-2]
    speeds[1:-1] = np.linalg.norm(points[2:] - points[:-2], axis=-1) / (span * heights[1:-1])[:, None]
    speeds[1:-1][span > 2 * _NEIGHBOURS] = np.nan
    return speeds


def measure_motion(people: Iterable[Path]) -> dict[str, float]:
    """Measure jitter of keypoints at rest and lag of fast ones.

    Returns:
        `jitter` and `jitter_height`, the root mean square of the acceleration of the error, in pixels per squared
        second and in percent of the person's height per squared second; `spread` and `spread_height`, the root mean
        square deviation of the error from its mean, in pixels and percent; `lag` in milliseconds. NaN without data.
    """
    people = list(people)
    squares = {key: [np.zeros(0)] for key in ("jitter", "jitter_height", "spread", "spread_height")}
    for path in people:
        known = np.isfinite(path.speeds)
        mean_speeds = np.where(known, path.speeds, 0).sum(1) / np.maximum(known.sum(1), 1)
        resting = (path.speeds < REST) & (mean_speeds < REST)[
            :, None
        ]  # the standing foot of a walking person does not count
        error = path.result - path.truth
        percent = 100 / path.heights[:, None]
        shake = _accelerations(path.times, error) ** 2  # (F, K, 2)
        still = np.where(resting[..., None], error, np.nan)
        present = np.isfinite(still).any(0)  # (K, 2)
        mean = np.where(present, np.nansum(still, 0) / np.maximum(np.isfinite(still).sum(0), 1), np.nan)
        for key, values in (("jitter", shake), ("spread", (error - mean) ** 2)):
            size = values.sum(-1)
            usable = resting & np.isfinite(size)
            squares[key].append(size[usable])
            squares[f"{key}_height"].append((size * percent**2)[usable])
    figures = {key: _root_mean(np.concatenate(values)) for key, values in squares.items()}
    return figures | {"lag": 1000 * lag(people)}


def _root_mean(squares: Array) -> float:
    return float(np.sqrt(squares.mean())) if len(squares) else float("nan")


def _accelerations(times: Array, points: Array) -> Array:
    """Return the second derivatives (F, K, 2) of points at irregular times; NaN at the ends and at gaps."""
    steps = np.diff(times)
    slopes = np.diff(points, axis=0) / steps[:, None, None]
    change = np.full_like(points, np.nan)
    near = (steps[1:] < _NEIGHBOURS) & (steps[:-1] < _NEIGHBOURS)
    change[1:-1][near] = (np.diff(slopes, axis=0) / ((steps[1:] + steps[:-1]) / 2)[:, None, None])[near]
    return change


def lag(people: Iterable[Path]) -> float:
    """Return the lag of the result behind the truth in seconds; NaN if nothing moves fast.

    The lag is the time shift with the least mean squared distance. For paths of equal energy this is the maximum of the
    cross-correlation; it is also correct for a person who walks straight on.
    """
    people = list(people)
    costs = np.zeros(len(_LAGS))
    count = 0
    for path in people:
        fast = (path.speeds > FAST) & np.isfinite(path.result).all(-1)  # (F, K)
        inside = (path.times >= path.times[0] + _LAGS[-1]) & (path.times <= path.times[-1] + _LAGS[0])
        fast &= inside[:, None]  # the truth is known at all shifts
        count += int(fast.sum())
        for k in np.flatnonzero(fast.any(0)):
            rows = np.flatnonzero(fast[:, k])
            known = np.isfinite(path.truth[:, k, 0])
            moments = path.times[rows] - _LAGS[:, None]  # (L, n)
            for axis in range(2):
                shifted = np.interp(moments, path.times[known], path.truth[known, k, axis])
                costs += ((shifted - path.result[rows, k, axis]) ** 2).sum(1)
    if not count:
        return float("nan")
    best = int(costs.argmin())
    if 0 < best < len(_LAGS) - 1:  # the vertex of the parabola through the three lowest points
        a, b, c = costs[best - 1 : best + 2]
        return float(_LAGS[best] + (_LAGS[1] - _LAGS[0]) * (a - c) / (2 * max(a - 2 * b + c, 1e-12)))
    return float(_LAGS[best])
