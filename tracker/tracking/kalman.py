"""Constant-velocity Kalman filters for all points of all tracks at once.

Every axis of every point is an independent filter with the state (position, velocity), so a step of T x P x 2 filters
is plain elementwise arithmetic. Both axes of a point share one covariance, because they share their noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Points(NamedTuple):
    """What is believed of P points of T tracks.

    Attributes:
        positions: (T, P, 2) pixels; NaN where a point is not known.
        velocities: (T, P, 2) pixels per second.
        covariances: (T, P, 3), the variance of the position, its covariance with the velocity, that of the velocity.
    """

    positions: Array
    velocities: Array
    covariances: Array

    @classmethod
    def unknown(cls, tracks: int, points: int) -> Points:
        """Return points that start with their first measurement."""
        shape = (tracks, points, 2)
        return cls(np.full(shape, np.nan), np.zeros(shape), np.zeros((tracks, points, 3)))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Points:
        """Return the tracks of an index array or a mask."""
        return Points(*(array[rows] for array in self))

    def join(self, other: Points) -> Points:
        """Return these tracks and those after them."""
        return Points(*(np.concatenate(pair) for pair in zip(self, other)))


def predict(points: Points, *, dt: float, density: Array) -> Points:
    """Move all points on by `dt`.

    The velocity is disturbed by white noise (`filterpy.common.Q_continuous_white_noise`), so that two steps of dt / 2
    say the same as one step of dt and the frame rate does not matter.

    Args:
        points: (T, P).
        dt: seconds.
        density: (T, P) squared pixels per cubed second, the spectral density of the acceleration.
    """
    position, both, velocity = np.moveaxis(points.covariances, -1, 0)  # (T, P) each
    noise = density * dt
    covariances = np.empty_like(points.covariances)
    covariances[..., 0] = position + dt * (2 * both + dt * (velocity + noise / 3))
    covariances[..., 1] = both + dt * (velocity + noise / 2)
    covariances[..., 2] = velocity + noise
    return Points(points.positions + dt * points.velocities, points.velocities, covariances)


def wander(points: Points, column: int, *, variance: Array) -> Points:
    """Give one column of points no velocity of its own but a random walk, for one step of `predict`.

    A box's size has no inertia: a velocity that it learnt while somebody came into the picture would blow it up.

    Args:
        points: (T, P).
        column: which of the P points.
        variance: (T,) squared pixels per squared second: the strength of the walk over the seconds of the step.
    """
    velocities, covariances = points.velocities.copy(), points.covariances.copy()
    velocities[:, column] = 0
    covariances[:, column, 1] = 0
    covariances[:, column, 2] = variance
    return points._replace(velocities=velocities, covariances=covariances)


def coast(points: Points, *, unseen: NDArray[np.bool_], target: Array, dt: float, settle: float) -> Points:
    """Let points that are not seen forget their own velocity.

    A wrist that disappears in mid-swing does not fly on: it moves as the body does.

    Args:
        points: (T, P).
        unseen: (T, P), the points that the last frame did not measure.
        target: (T, P, 2) pixels per second, the velocity that each point settles to.
        dt: seconds.
        settle: seconds after which 1 / e of the own velocity is left.
    """
    kept = np.where(unseen, np.exp(-dt / settle), 1.0)[..., None]  # (T, P, 1)
    velocities = kept * points.velocities + (1 - kept) * target
    return points._replace(velocities=velocities)


def update(points: Points, measured: Array, *, noise: Array, start: Array, speed: Array) -> Points:
    """Correct all points by what was measured.

    A point without measurement keeps its prediction. A point that was not known starts where it is measured.

    Args:
        points: (T, P).
        measured: (T, P, 2) pixels; NaN where nothing was measured.
        noise: (T, P) squared pixels, the variance of each measurement.
        start: (T, 1, 2) or (T, P, 2) pixels per second, the velocity that a point starts with.
        speed: (T, P) pixels per second, the standard deviation of that velocity.
    """
    missing = np.isnan(measured[..., 0])  # (T, P)
    fresh = np.isnan(points.positions[..., 0]) & ~missing
    position, both, velocity = np.moveaxis(points.covariances, -1, 0)
    total = position + noise
    gain = np.where(missing, 0.0, position / total)
    turn = np.where(missing, 0.0, both / total)
    residual = np.where(missing[..., None], 0.0, measured - points.positions)  # (T, P, 2)

    positions = points.positions + gain[..., None] * residual
    velocities = points.velocities + turn[..., None] * residual
    covariances = np.stack([(1 - gain) * position, (1 - gain) * both, velocity - turn * both], axis=-1)
    if fresh.any():
        positions = np.where(fresh[..., None], measured, positions)
        velocities = np.where(fresh[..., None], start, velocities)
        born = np.stack([noise, np.zeros_like(noise), speed**2], axis=-1)
        covariances = np.where(fresh[..., None], born, covariances)
    return Points(positions, velocities, covariances)
