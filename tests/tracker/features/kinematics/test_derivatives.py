"""Derivatives at irregular times, against functions whose derivatives are known."""

import numpy as np
import pytest

from posetrack.tracker.evaluation.synthetic import irregular
from posetrack.tracker.features.kinematics.derivatives import HALF_WINDOW, derivatives


def test_a_cubic_is_exact_at_irregular_times():
    times = irregular(0.3, 30, seed=3) - 0.13
    values = np.stack([3 + 5 * times - 7 * times**2 + 9 * times**3, 1 - times], axis=-1)
    first, second = derivatives(times, values)
    np.testing.assert_allclose(first, [5, -1], atol=1e-5)
    np.testing.assert_allclose(second, [-14, 0], atol=1e-4)


def test_missing_samples_are_left_out_and_too_few_give_nothing():
    times = np.arange(-4, 5) / 30
    values = np.stack([2 * times, 2 * times], axis=-1)
    values[[0, 3], 0] = np.nan
    values[6:, 1] = np.nan
    first, second = derivatives(times, values)
    np.testing.assert_allclose(first, [2, np.nan], atol=1e-6)
    assert np.isnan(second[1])


def test_no_samples_and_equal_times_give_nothing_and_no_error():
    assert np.isnan(derivatives(np.zeros(1), np.zeros((1, 4)))[0]).all()
    assert np.isnan(derivatives(np.zeros(9), np.zeros((9, 2)))[0]).all()
    first, _ = derivatives(np.array([-0.1, -0.1, 0.0, 0.1, 0.1]), np.zeros((5, 2)))
    np.testing.assert_allclose(first, 0, atol=1e-6)


@pytest.mark.parametrize("fps", [25, 30, 60, 120])
def test_the_gain_falls_as_documented_and_there_is_no_phase(fps):
    times = np.arange(-int(HALF_WINDOW * fps), int(HALF_WINDOW * fps) + 1) / fps
    gain = {hz: derivatives(times, np.sin(2 * np.pi * hz * times))[0] / (2 * np.pi * hz) for hz in (1, 2, 5)}
    assert gain[1] > 0.99
    assert gain[2] > 0.97
    assert 0.5 < gain[5] < 0.7
    assert abs(derivatives(times, np.cos(2 * np.pi * times))[0]) < 1e-4
