"""The One-Euro filter, against its authors' scalar algorithm."""

import numpy as np
import pytest

from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.config.tracking import SMOOTH
from posetrack.tracker.tracking.config import LATENCIES
from posetrack.tracker.tracking.smoothing import one_euro
from posetrack.tracker.tracking.tracker import TrackerConfig

OPTIONS = {"min_cutoff": 0.7, "beta": 2.0, "rate_cutoff": 1.0, "rest_speed": 0.0}


def scalar(samples, velocities, dts, size):
    """Smooth one axis as algorithm 1 of the paper has it, but for where the velocities come from."""

    def share(cutoff, dt):
        return 1 / (1 + 1 / (2 * np.pi * cutoff) / dt)

    smooth, rate, out = samples[0], velocities[0], [samples[0]]
    for sample, velocity, dt in zip(samples[1:], velocities[1:], dts[1:]):
        taken = share(OPTIONS["rate_cutoff"], dt)
        rate = taken * velocity + (1 - taken) * rate
        taken = share(OPTIONS["min_cutoff"] + OPTIONS["beta"] * abs(rate) / size, dt)
        smooth = taken * sample + (1 - taken) * smooth
        out.append(smooth)
    return np.array(out)


def test_equals_the_paper_with_varying_steps():
    rng = np.random.default_rng(0)
    samples, velocities, dts = np.cumsum(rng.normal(0, 3, 50)), rng.normal(0, 30, 50), rng.uniform(0.01, 0.1, 50)
    smooth, rates, out = np.full((1, 1, 2), np.nan), np.zeros((1, 1, 2)), []
    for sample, velocity, dt in zip(samples, velocities, dts):
        position, speed = np.array([[[sample, 0.0]]]), np.array([[[velocity, 0.0]]])
        one_euro(position, speed, smooth, rates, np.array([40.0]), dt, *OPTIONS.values())
        out.append(smooth[0, 0, 0])
    assert np.array(out) == pytest.approx(scalar(samples, velocities, dts, 40.0))


def test_a_keypoint_that_comes_anew_starts_afresh():
    sizes, rates = np.array([100.0]), np.zeros((1, 1, 2))
    smooth = np.full((1, 1, 2), np.nan)
    for value, velocity in ((0.0, 0.0), (50.0, 900.0), (np.nan, 900.0), (500.0, 7.0)):
        position, speed = np.full((1, 1, 2), value), np.full((1, 1, 2), velocity)
        one_euro(position, speed, smooth, rates, sizes, 0.03, *OPTIONS.values())
    assert smooth.tolist() == [[[500.0, 500.0]]]
    assert rates.tolist() == [[[7.0, 7.0]]]


def test_speeds_below_that_of_rest_do_not_count():
    def step(velocity):
        smooth, sizes = np.zeros((1, 1, 2)), np.array([100.0])
        speed, options = np.array([[[velocity, 0.0]]]), OPTIONS | {"rest_speed": 0.5}
        one_euro(smooth + 1, speed, smooth, speed.copy(), sizes, 0.03, *options.values())
        return smooth[0, 0, 0]

    assert step(0.0) == step(49.0) < step(51.0) < step(500.0)


def test_one_list_of_choices():
    assert tuple(LATENCIES) == SMOOTH
    assert TrackerConfig().smooth == RunConfig().tracking.smooth
