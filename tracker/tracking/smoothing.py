"""Smooth the keypoints that are output: little jitter at rest, little lag in motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bounds import near, within_reach
from .compiled import kernel, subroutine
from .config import TrackerConfig
from .state import BOX, TrackState, lengths, sizes

Array = NDArray[np.float64]


def smooth_keypoints(people: TrackState, measured: Array, dt: float, options: TrackerConfig) -> NDArray[np.bool_]:
    """Update the smoothed keypoints of tracks, in place.

    Args:
        people: T tracks, corrected by this frame.
        measured: (T, K, 2) keypoints of this frame, pixels; NaN if not measured.
        dt: seconds since the last frame.
        options: options of the tracker.

    Returns:
        A mask (T, K) of the keypoints that are measured; the others are predicted.
    """
    seen = np.isfinite(measured[..., 0])
    if options.smooth != "none":
        seen &= people.ages[:, BOX:] == 0  # a filter leaves outliers out
    positions, predicted = people.positions, np.isfinite(people.positions[:, BOX:, 0]) & ~seen
    positions[:, BOX:] = within_reach(positions[:, BOX:], positions, predicted)
    _filter(people, np.where(seen[..., None], measured, np.nan), dt, options)
    people.smooth_keypoints[...] = within_reach(people.smooth_keypoints, positions, predicted)
    return seen


def _filter(people: TrackState, measured: Array, dt: float, options: TrackerConfig) -> None:
    """Update the smoothed keypoints, in place; `measured` (T, K, 2) are those of this frame, NaN if predicted."""
    positions, velocities = people.positions[:, BOX:], people.velocities[:, BOX:]
    if options.smooth == "none":
        people.smooth_keypoints[...] = np.where((people.ages[:, 0] == 0)[:, None, None], measured, positions)
        return
    if options.smooth == "kalman":
        people.smooth_keypoints[...] = positions
    else:
        one_euro(
            np.ascontiguousarray(positions),
            np.ascontiguousarray(velocities),
            people.smooth_keypoints,
            people.smooth_velocities,
            sizes(people.positions),
            dt,
            options.min_cutoff,
            options.beta,
            options.rate_cutoff,
            options.rest_speed,
        )
    people.smooth_keypoints[...] = near(
        people.smooth_keypoints, measured, options.keypoint_slack * lengths(people.positions)
    )


@subroutine
def low_pass_weight(cutoff: float, dt: float) -> float:
    """Return the weight of a new sample in a first-order low-pass filter (Casiez et al. 2012, equation 5)."""
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

    The paper's speed is the difference to the last smoothed position over dt, which grows with noise and frame rate.
    Here the speed is the Kalman filter's, less the apparent speed caused by noise at rest; squares are subtracted,
    because the noise of the two axes adds up in squares. The speed is that of the point, not of one axis, so that a
    rotation of the image changes nothing. It is in sizes of the person, so that near and far people behave alike.

    Args:
        positions: (T, K, 2) pixels, filtered positions of this frame; NaN where missing.
        velocities: (T, K, 2) pixels per second, filtered velocities of this frame.
        smooth: (T, K, 2) pixels, smoothed positions of the last frame, NaN for new keypoints; updated in place.
        rates: (T, K, 2) pixels per second, low-passed velocities of the last frame; updated in place.
        sizes: (T,) pixels, sizes of the people.
        dt: seconds since the last frame.
        min_cutoff: Hz, cutoff frequency at rest; a lower one reduces jitter.
        beta: Hz per (size per second), slope of the cutoff over speed; a higher one reduces lag.
        rate_cutoff: Hz, cutoff of the velocity's low-pass filter.
        rest_speed: sizes per second, apparent speed caused by noise at rest.
    """
    rate_weight = low_pass_weight(rate_cutoff, dt)
    for t in range(positions.shape[0]):
        for k in range(positions.shape[1]):
            if np.isnan(smooth[t, k, 0]):
                for axis in range(2):
                    smooth[t, k, axis], rates[t, k, axis] = positions[t, k, axis], velocities[t, k, axis]
                continue
            for axis in range(2):
                rates[t, k, axis] += rate_weight * (velocities[t, k, axis] - rates[t, k, axis])
            squared = (rates[t, k, 0] ** 2 + rates[t, k, 1] ** 2) / sizes[t] ** 2
            speed = np.sqrt(max(squared - rest_speed**2, 0.0))
            taken = low_pass_weight(min_cutoff + beta * speed, dt)
            for axis in range(2):
                smooth[t, k, axis] += taken * (positions[t, k, axis] - smooth[t, k, axis])
