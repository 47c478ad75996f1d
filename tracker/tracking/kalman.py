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


def smooth(filtered: Points, *, dts: Array, density: Array) -> Points:
    """Correct every moment by all that came after it, in place (Rauch, Tung and Striebel 1965).

    Args:
        filtered: (F, P), F moments of the same points in the place of the tracks, each after its `update`.
        dts: (F,) seconds from the moment before to each; the first is not used.
        density: (F, P) as `predict` was given it for the step to each moment; the first is not used.

    Returns:
        The same arrays. A point that was not known yet stays unknown.
    """
    positions, velocities, covariances = filtered
    for now in range(len(dts) - 2, -1, -1):
        after, dt = now + 1, dts[now + 1]
        here = Points(positions[now], velocities[now], covariances[now])
        expected = predict(here, dt=dt, density=density[after])
        a, b, c = np.moveaxis(here.covariances, -1, 0)  # (P,) each
        p, q, r = np.moveaxis(expected.covariances, -1, 0)
        scale = 1 / (p * r - q * q)
        # The gain: covariance of now with the next moment, times the inverse of what was expected of that.
        k, l = scale * ((a + dt * b) * r - b * q), scale * (b * p - (a + dt * b) * q)  # noqa: E741
        m, n = scale * ((b + dt * c) * r - c * q), scale * (c * p - (b + dt * c) * q)
        move, turn = positions[after] - expected.positions, velocities[after] - expected.velocities  # (P, 2)
        positions[now] += k[:, None] * move + l[:, None] * turn
        velocities[now] += m[:, None] * move + n[:, None] * turn
        x, y, z = np.moveaxis(covariances[after] - expected.covariances, -1, 0)
        covariances[now, :, 0] += k * k * x + 2 * k * l * y + l * l * z
        covariances[now, :, 1] += k * m * x + (k * n + l * m) * y + l * n * z
        covariances[now, :, 2] += m * m * x + 2 * m * n * y + n * n * z
    return filtered
