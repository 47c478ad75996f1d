"""The batched filters do what filterpy's do, one by one."""

from copy import deepcopy

import numpy as np
import pytest
from filterpy.common import Q_continuous_white_noise
from filterpy.kalman import KalmanFilter

from posetrack.tracker.tracking.kalman import (
    Points,
    coast,
    filter_forward,
    predict,
    process_noise,
    smooth,
    update,
    white_noise,
)

T, P = 3, 5


def oracle(x, dts, density, noise, speed):
    """Run filterpy over measurements x of one axis, NaN where none, and return position and velocity of each step."""
    filter_ = KalmanFilter(dim_x=2, dim_z=1)
    filter_.H = np.array([[1.0, 0.0]])
    filter_.R = np.array([[noise]])
    filter_.x = np.array([[x[0]], [0.0]])
    filter_.P = np.diag([noise, speed**2])
    states = [filter_.x[:, 0].copy()]
    for value, dt in zip(x[1:], dts[1:]):
        filter_.F = np.array([[1.0, dt], [0.0, 1.0]])
        filter_.Q = Q_continuous_white_noise(2, dt=dt, spectral_density=density)
        filter_.predict()
        filter_.update(None if np.isnan(value) else np.array([[value]]))
        states.append(filter_.x[:, 0].copy())
    return np.array(states)


def test_equals_filterpy_with_varying_steps_and_misses():
    rng = np.random.default_rng(0)
    steps = 60
    dts = rng.uniform(0.005, 0.2, steps)
    density, noise = rng.uniform(10, 1000, (T, P)), rng.uniform(1, 50, (T, P))
    speed = rng.uniform(10, 200, (T, P))
    measured = np.cumsum(rng.normal(0, 5, (steps, T, P, 2)), axis=0)
    measured[1:][rng.random((steps - 1, T, P)) < 0.2] = np.nan

    points, positions, velocities = Points.unknown(T, P), [], []
    for frame, dt in zip(measured, dts):
        predict(tuple(points), dt, density)
        update(tuple(points), frame, noise, speed)
        positions.append(points.positions.copy())
        velocities.append(points.velocities.copy())
    for t, p, axis in np.ndindex(T, P, 2):
        expected = oracle(measured[:, t, p, axis], dts, density[t, p], noise[t, p], speed[t, p])
        assert np.array(positions)[:, t, p, axis] == pytest.approx(expected[:, 0], abs=1e-6)
        assert np.array(velocities)[:, t, p, axis] == pytest.approx(expected[:, 1], abs=1e-6)


def test_the_process_noise_of_a_run_is_that_of_filterpy():
    dts = np.array([0.04, 1 / 30, 0.04, 2.0, 1e-3])
    np.testing.assert_allclose(process_noise(dts), [white_noise(dt) for dt in dts], rtol=1e-14)
    assert process_noise(np.zeros(0)).shape == (0, 3)


def test_two_half_steps_are_one_step():
    rng = np.random.default_rng(1)
    once = Points(rng.random((T, P, 2)), rng.random((T, P, 2)), rng.random((T, P, 3)))
    twice, density = deepcopy(once), rng.random((T, P))
    predict(tuple(once), 0.1, density)
    predict(tuple(twice), 0.05, density)
    predict(tuple(twice), 0.05, density)
    for a, b in zip(once, twice):
        assert a == pytest.approx(b)


def test_unknown_points_stay_unknown_and_start_where_they_are_measured_as_fast_as_the_body():
    points = Points.unknown(1, 3)
    points.positions[0, 0], points.velocities[0, 0], points.covariances[0, 0] = (0, 0), (7, 8), (1, 0, 1)
    predict(tuple(points), 0.0, np.ones((1, 3)))
    measured = np.array([[[np.nan, np.nan], [3.0, 4.0], [np.nan, np.nan]]])
    update(tuple(points), measured, np.ones((1, 3)), np.ones((1, 3)))
    assert points.positions[0, 1].tolist() == [3, 4]
    assert points.velocities[0, 1].tolist() == [7, 8]
    assert np.isnan(points.positions[0, 2]).all()


def test_unseen_points_settle_to_the_velocity_of_the_first():
    points = Points(np.zeros((1, 3, 2)), np.full((1, 3, 2), 100.0), np.zeros((1, 3, 3)))
    points.velocities[0, 0] = 10, 0
    coast(tuple(points), np.array([[0.0, 0.1, 0.0]]), 0.0, 1.0, 0.1)
    assert points.velocities[0, 1] == pytest.approx([10, 0], abs=0.01)
    assert points.velocities[0, 2].tolist() == [100, 100]


def test_following_is_step_after_step():
    rng = np.random.default_rng(3)
    frames, points = 20, 4
    measured = rng.normal(0, 10, (frames, points, 2))
    measured[rng.random((frames, points)) < 0.3] = np.nan
    noise, speed, density = (rng.uniform(1, 9, (frames, points)) for _ in range(3))
    dts = rng.uniform(0.01, 0.1, frames)
    path, now = Points.unknown(frames, points), Points.unknown(1, points)
    filter_forward(tuple(path), measured, noise, speed, dts, density, process_noise(dts))
    for row, dt in enumerate(dts):
        if row:
            predict(tuple(now), dt, density[row, None])
        update(tuple(now), measured[row, None], noise[row, None], speed[row, None])
        for array, values in zip(path, now):
            np.testing.assert_allclose(array[row], values[0])


def test_smoothing_backwards_equals_filterpys():
    rng = np.random.default_rng(2)
    steps, density, noise, speed = 50, 300.0, 9.0, 40.0
    dts = rng.uniform(0.005, 0.2, steps)
    x = np.cumsum(rng.normal(0, 5, steps))
    x[1:][rng.random(steps - 1) < 0.2] = np.nan
    judge = KalmanFilter(dim_x=2, dim_z=1)
    judge.H, judge.R = np.array([[1.0, 0.0]]), np.array([[noise]])
    judge.x, judge.P = np.array([[x[0]], [0.0]]), np.diag([noise, speed**2])
    xs, ps, fs, qs = [judge.x.copy()], [judge.P.copy()], [np.eye(2)], [np.eye(2)]
    for value, dt in zip(x[1:], dts[1:]):
        judge.F = np.array([[1.0, dt], [0.0, 1.0]])
        judge.Q = Q_continuous_white_noise(2, dt=dt, spectral_density=density)
        judge.predict()
        judge.update(None if np.isnan(value) else np.array([[value]]))
        for kept, now in ((xs, judge.x), (ps, judge.P), (fs, judge.F), (qs, judge.Q)):
            kept.append(now.copy())
    expected, covariances, _, _ = judge.rts_smoother(np.array(xs), np.array(ps), fs, qs)

    belief, kept = Points.unknown(1, 1), []
    for value, dt in zip(x, dts):
        predict(tuple(belief), dt, np.full((1, 1), density))
        update(tuple(belief), np.full((1, 1, 2), value), np.full((1, 1), noise), np.full((1, 1), speed))
        kept.append(deepcopy(belief))
    filtered = Points(*(np.concatenate(arrays) for arrays in zip(*kept)))
    smooth(tuple(filtered), dts, np.full((steps, 1), density), process_noise(dts))
    assert filtered.positions[:, 0, 1] == pytest.approx(expected[:, 0, 0], abs=1e-6)
    assert filtered.velocities[:, 0, 0] == pytest.approx(expected[:, 1, 0], abs=1e-6)
    assert filtered.covariances[:, 0] == pytest.approx(covariances[:, [0, 0, 1], [0, 1, 1]], abs=1e-6)
