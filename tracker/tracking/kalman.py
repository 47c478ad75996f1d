"""Constant-velocity Kalman filters for all points of all tracks at once.

Every axis of every point is an independent filter with the state (position, velocity), so a step of T x P x 2 filters
is plain arithmetic. Both axes of a point share one covariance, because they share their noise. Points change in place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import kernel, subroutine

Array = NDArray[np.float64]


class Points(NamedTuple):
    """State estimates of P points of T tracks.

    Attributes:
        positions: (T, P, 2) pixels; NaN if unknown.
        velocities: (T, P, 2) pixels per second.
        covariances: (T, P, 3): variance of the position, covariance of position and velocity, variance of the velocity.
    """

    positions: Array
    velocities: Array
    covariances: Array

    @classmethod
    def unknown(cls, tracks: int, points: int) -> Points:
        """Return points without an estimate; the first measurement initializes them."""
        shape = (tracks, points, 2)
        return cls(np.full(shape, np.nan), np.zeros(shape), np.zeros((tracks, points, 3)))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Points:
        """Return the tracks that an index array or a mask selects."""
        return Points(*[array[rows] for array in self])

    def join(self, other: Points) -> Points:
        """Return these tracks, followed by the other ones."""
        return Points(*[np.concatenate(pair) for pair in zip(self, other)])


def process_noise(dts: Array) -> Array:
    """Return the process noise (F, 3) of steps of `dts` (F,) seconds: position, cross, velocity, for a density of 1.

    filterpy defines it: the acceleration is white noise, so that two steps of dt / 2 equal one step of dt, and results
    do not depend on the frame rate. Each time step is computed once.
    """
    from filterpy.common import Q_continuous_white_noise  # imports SciPy, which takes longer than starting a run

    steps, which = np.unique(dts, return_inverse=True)
    noise = np.array([Q_continuous_white_noise(2, dt=dt) for dt in steps]).reshape(-1, 2, 2)
    return noise[which][:, [0, 0, 1], [0, 1, 1]]


@subroutine
def white_noise(dt: float) -> tuple[float, float, float]:
    """Return `process_noise` of one step, in closed form: a live run does not wait for the import of filterpy."""
    return dt**3 / 3, dt**2 / 2, dt


@subroutine
def expected(
    a: float, b: float, c: float, dt: float, density: float, noise: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the predicted covariance (position, cross, velocity) after `dt` seconds of process `noise`."""
    return a + dt * (2 * b + dt * c) + density * noise[0], b + dt * c + density * noise[1], c + density * noise[2]


@kernel
def predict(points: tuple[Array, ...], dt: float, density: Array) -> None:
    """Predict all points, in place.

    Args:
        points: the arrays of `Points`, (T, P).
        dt: time step in seconds.
        density: (T, P) spectral density of the acceleration, squared pixels per cubed second.
    """
    advance(points, dt, density, white_noise(dt))


@subroutine
def advance(points: tuple[Array, ...], dt: float, density: Array, noise: tuple[float, float, float]) -> None:
    """Predict all points, in place, with a given process noise."""
    positions, velocities, covariances = points
    for t in range(positions.shape[0]):
        for p in range(positions.shape[1]):
            for axis in range(2):
                positions[t, p, axis] += dt * velocities[t, p, axis]
            a, b, c = covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2]
            a, b, c = expected(a, b, c, dt, density[t, p], noise)
            covariances[t, p, 0], covariances[t, p, 1], covariances[t, p, 2] = a, b, c


def random_walk(points: tuple[Array, ...], column: int, variance: Array) -> None:
    """Turn one column of points into a random walk without velocity, for one step of `predict`.

    A box's size has no inertia: a velocity learned while a person enters the image would inflate the box.

    Args:
        points: the arrays of `Points`, (T, P).
        column: index of the point.
        variance: (T,) squared pixels per squared second, strength of the walk during the step.
    """
    _, velocities, covariances = points
    velocities[:, column] = 0.0
    covariances[:, column, 1], covariances[:, column, 2] = 0.0, variance


def coast(points: tuple[Array, ...], ages: Array, idle: float, dt: float, settle: float) -> None:
    """Let the velocity of unobserved points approach that of the track's first point, the center of the box.

    A wrist that is occluded in mid-swing does not fly on: it moves with the body.

    Args:
        points: the arrays of `Points`, (T, P).
        ages: (T, P) seconds since each point's last measurement.
        idle: seconds since the last processed frame; points of a greater age are unobserved.
        dt: time step in seconds.
        settle: seconds after which the difference of the velocities has fallen to 1 / e.
    """
    _, velocities, _ = points
    t, p = np.nonzero(ages[:, 1:] > idle)
    body = velocities[t, 0]
    velocities[t, p + 1] = body + np.exp(-dt / settle) * (velocities[t, p + 1] - body)


@kernel
def update(points: tuple[Array, ...], measured: Array, noise: Array, speed: Array) -> None:
    """Correct all points by their measurements, in place.

    A point without measurement keeps its prediction. An unknown point starts at its measurement, with the velocity of
    the track's first point.

    Args:
        points: the arrays of `Points`, (T, P).
        measured: (T, P, 2) pixels; NaN if not measured.
        noise: (T, P) variance of each measurement, squared pixels.
        speed: (T, P) standard deviation of a new point's velocity, pixels per second.
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
def filter_forward(
    points: tuple[Array, ...], measured: Array, noise: Array, speed: Array, dts: Array, density: Array, process: Array
) -> None:
    """Filter the same P points through F frames, in place: predict each frame from the previous one and correct it.

    Args:
        points: the arrays of `Points`, (F, P), unknown.
        measured: (F, P, 2), as in `update`.
        noise: (F, P), as in `update`.
        speed: (F, P), as in `update`.
        dts: (F,) seconds from the previous frame to each; the first is ignored.
        density: (F, P), as in `predict`.
        process: (F, 3) `process_noise` of these steps.
    """
    positions, velocities, covariances = points
    for row in range(len(dts)):
        now = positions[row : row + 1], velocities[row : row + 1], covariances[row : row + 1]
        if row > 0:
            positions[row], velocities[row] = positions[row - 1], velocities[row - 1]
            covariances[row] = covariances[row - 1]
            of_step = process[row, 0], process[row, 1], process[row, 2]
            advance(now, dts[row], density[row : row + 1], of_step)
        update(now, measured[row : row + 1], noise[row : row + 1], speed[row : row + 1])


@kernel
def smooth(filtered: tuple[Array, ...], dts: Array, density: Array, process: Array) -> None:
    """Smooth filtered frames backwards, in place (Rauch, Tung and Striebel 1965).

    A point that was unknown in a frame stays unknown in it.

    Args:
        filtered: the arrays of `Points`, (F, P): F frames of the same points, each after its `update`.
        dts: (F,) seconds from the previous frame to each; the first is ignored.
        density: (F, P), as in `predict`, for the step to each frame; the first is ignored.
        process: (F, 3) `process_noise` of these steps.
    """
    positions, velocities, covariances = filtered
    for now in range(len(dts) - 2, -1, -1):
        after, dt = now + 1, dts[now + 1]
        of_step = process[after, 0], process[after, 1], process[after, 2]
        for point in range(positions.shape[1]):
            a, b, c = covariances[now, point, 0], covariances[now, point, 1], covariances[now, point, 2]
            p, q, r = expected(a, b, c, dt, density[after, point], of_step)
            scale = 1 / (p * r - q * q)
            # The gain: covariance of this frame with the next one, times the inverse of the next one's prediction.
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
