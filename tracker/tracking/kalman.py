"""Constant-velocity Kalman filters for all points of all tracks at once.

Every axis of every point is an independent filter with the state (position, velocity), so a step of T x P x 2 filters
is plain arithmetic. Both axes of a point share one covariance, because they share their noise. Points change in place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import kernel, part

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
        return Points(*[array[rows] for array in self])

    def join(self, other: Points) -> Points:
        """Return these tracks and those after them."""
        return Points(*[np.concatenate(pair) for pair in zip(self, other)])


@part
def expected(a: float, b: float, c: float, dt: float, density: float) -> tuple[float, float, float]:
    """Return a covariance (position, both, velocity) after `dt` seconds, disturbed by noise of a spectral `density`.

    The velocity is disturbed by white noise (`filterpy.common.Q_continuous_white_noise`), so that two steps of dt / 2
    say the same as one step of dt and the frame rate does not matter.
    """
    noise = density * dt
    return a + dt * (2 * b + dt * (c + noise / 3)), b + dt * (c + noise / 2), c + noise


@kernel
def predict(points: tuple[Array, ...], dt: float, density: Array) -> None:
    """Move all points on.

    Args:
        points: (T, P), the arrays of `Points`.
        dt: seconds.
        density: (T, P) squared pixels per cubed second, the spectral density of the acceleration.
    """
    positions, velocities, covariances = points
    for t in range(positions.shape[0]):
        for p in range(positions.shape[1]):
            for axis in range(2):
                positions[t, p, axis] += dt * velocities[t, p, axis]
            a, b, c = covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2]
            a, b, c = expected(a, b, c, dt, density[t, p])
            covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2] = a, b, c


def wander(points: tuple[Array, ...], column: int, variance: Array) -> None:
    """Give one column of points no velocity of its own but a random walk, for one step of `predict`.

    A box's size has no inertia: a velocity that it learnt while somebody came into the picture would blow it up.

    Args:
        points: (T, P), the arrays of `Points`.
        column: which of the P points.
        variance: (T,) squared pixels per squared second: the strength of the walk over the seconds of the step.
    """
    _, velocities, covariances = points
    velocities[:, column] = 0.0
    covariances[:, column, 1], covariances[:, column, 2] = 0.0, variance


def coast(points: tuple[Array, ...], ages: Array, idle: float, dt: float, settle: float) -> None:
    """Let points that are not seen forget their own velocity for that of the track's first point, which is its centre.

    A wrist that disappears in mid-swing does not fly on: it moves as the body does.

    Args:
        points: (T, P), the arrays of `Points`.
        ages: (T, P) seconds since a point was last seen.
        idle: seconds since anything was looked at; a point of that age was seen then.
        dt: seconds.
        settle: seconds after which 1 / e of the own velocity is left.
    """
    _, velocities, _ = points
    t, p = np.nonzero(ages[:, 1:] > idle)
    body = velocities[t, 0]
    velocities[t, p + 1] = body + np.exp(-dt / settle) * (velocities[t, p + 1] - body)


@kernel
def update(points: tuple[Array, ...], measured: Array, noise: Array, speed: Array) -> None:
    """Correct all points by what was measured.

    A point without measurement keeps its prediction. A point that was not known starts where it is measured, with the
    velocity that the track's first point had.

    Args:
        points: (T, P), the arrays of `Points`.
        measured: (T, P, 2) pixels; NaN where nothing was measured.
        noise: (T, P) squared pixels, the variance of each measurement.
        speed: (T, P) pixels per second, the standard deviation of the velocity that a point starts with.
    """
    positions, velocities, covariances = points
    for t in range(positions.shape[0]):
        start = velocities[t, 0, 0], velocities[t, 0, 1]
        for p in range(positions.shape[1]):
            if np.isnan(measured[t, p, 0]):
                continue
            if np.isnan(positions[t, p, 0]):
                for axis in range(2):
                    positions[t, p, axis], velocities[t, p, axis] = measured[t, p, axis], start[axis]
                covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2] = noise[t, p], 0.0, speed[t, p] ** 2
                continue
            a, b, c = covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2]
            gain, turn = a / (a + noise[t, p]), b / (a + noise[t, p])
            for axis in range(2):
                residual = measured[t, p, axis] - positions[t, p, axis]
                positions[t, p, axis] += gain * residual
                velocities[t, p, axis] += turn * residual
            covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2] = (
                (1 - gain) * a,
                (1 - gain) * b,
                c - turn * b,
            )


@kernel
def follow(points: tuple[Array, ...], measured: Array, noise: Array, speed: Array, dts: Array, density: Array) -> None:
    """Filter F moments of the same P points, in place: each is predicted from the one before and corrected.

    Args:
        points: (F, P), the arrays of `Points`, unknown.
        measured: (F, P, 2), as for `update`, and the next two.
        noise: (F, P).
        speed: (F, P).
        dts: (F,) seconds from the moment before to each; the first is not used.
        density: (F, P) as for `predict`.
    """
    positions, velocities, covariances = points
    for row in range(len(dts)):
        now = positions[row : row + 1], velocities[row : row + 1], covariances[row : row + 1]
        if row > 0:
            positions[row], velocities[row] = positions[row - 1], velocities[row - 1]
            covariances[row] = covariances[row - 1]
            predict(now, dts[row], density[row : row + 1])
        update(now, measured[row : row + 1], noise[row : row + 1], speed[row : row + 1])


@kernel
def smooth(filtered: tuple[Array, ...], dts: Array, density: Array) -> None:
    """Correct every moment by all that came after it (Rauch, Tung and Striebel 1965).

    A point that was not known yet stays unknown.

    Args:
        filtered: (F, P), the arrays of `Points`: F moments of the same points, each after its `update`.
        dts: (F,) seconds from the moment before to each; the first is not used.
        density: (F, P) as `predict` was given it for the step to each moment; the first is not used.
    """
    positions, velocities, covariances = filtered
    for now in range(len(dts) - 2, -1, -1):
        after, dt = now + 1, dts[now + 1]
        for point in range(positions.shape[1]):
            a, b, c = covariances[now, point, 0], covariances[now, point, 1], covariances[now, point, 2]
            p, q, r = expected(a, b, c, dt, density[after, point])
            scale = 1 / (p * r - q * q)
            # The gain: covariance of now with the next moment, times the inverse of what was expected of that.
            k, l = scale * ((a + dt * b) * r - b * q), scale * (b * p - (a + dt * b) * q)  # noqa: E741
            m, n = scale * ((b + dt * c) * r - c * q), scale * (c * p - (b + dt * c) * q)
            for axis in range(2):
                place, velocity = positions[now, point, axis], velocities[now, point, axis]
                move, change = (
                    positions[after, point, axis] - place - dt * velocity,
                    velocities[after, point, axis] - velocity,
                )
                positions[now, point, axis] += k * move + l * change
                velocities[now, point, axis] += m * move + n * change
            x, y, z = (
                covariances[after, point, 0] - p,
                covariances[after, point, 1] - q,
                covariances[after, point, 2] - r,
            )
            covariances[now, point, 0] += k * k * x + 2 * k * l * y + l * l * z
            covariances[now, point, 1] += k * m * x + (k * n + l * m) * y + l * n * z
            covariances[now, point, 2] += m * m * x + 2 * m * n * y + n * n * z
