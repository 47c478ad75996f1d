"""The One-Euro filter, against its authors' scalar algorithm."""

import numpy as np
import pytest

from posetrack.tracker.tracking.smoothing import one_euro

OPTIONS = {"min_cutoff": 0.7, "beta": 2.0, "rate_cutoff": 1.0}


def scalar(samples, dts, size):
    """Smooth one axis as algorithm 1 of the paper has it."""

    def share(cutoff, dt):
        return 1 / (1 + 1 / (2 * np.pi * cutoff) / dt)

    smooth, rate, out = samples[0], 0.0, [samples[0]]
    for sample, dt in zip(samples[1:], dts[1:]):
        taken = share(OPTIONS["rate_cutoff"], dt)
        rate = taken * (sample - smooth) / dt + (1 - taken) * rate
        taken = share(OPTIONS["min_cutoff"] + OPTIONS["beta"] * abs(rate) / size, dt)
        smooth = taken * sample + (1 - taken) * smooth
        out.append(smooth)
    return np.array(out)


def test_equals_the_paper_with_varying_steps():
    rng = np.random.default_rng(0)
    samples, dts = np.cumsum(rng.normal(0, 3, 50)), rng.uniform(0.01, 0.1, 50)
    smooth, rates, out = np.full((1, 1, 2), np.nan), np.zeros((1, 1, 2)), []
    for sample, dt in zip(samples, dts):
        position = np.array([[[sample, 0.0]]])
        smooth, rates = one_euro(position, smooth, rates, dt=dt, sizes=np.array([40.0]), **OPTIONS)
        out.append(smooth[0, 0, 0])
    assert np.array(out) == pytest.approx(scalar(samples, dts, 40.0))


def test_a_keypoint_that_comes_anew_starts_afresh():
    sizes, rates = np.array([100.0]), np.zeros((1, 1, 2))
    smooth = np.full((1, 1, 2), np.nan)
    for value in (0.0, 50.0, np.nan, 500.0):
        smooth, rates = one_euro(np.full((1, 1, 2), value), smooth, rates, dt=0.03, sizes=sizes, **OPTIONS)
    assert smooth.tolist() == [[[500.0, 500.0]]]
    assert rates.tolist() == [[[0.0, 0.0]]]
