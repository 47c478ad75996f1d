import numpy as np
import pytest

from posetrack.tracker import timings


def test_median_and_p95_are_those_of_the_samples():
    clock = timings.Timings()
    values = np.random.default_rng(0).uniform(0, 50, 1000)
    for value in values:
        clock.add("pose", value)
    figures = clock.summary()["pose"]
    assert figures["count"] == 1000
    assert figures["median"] == pytest.approx(np.median(values), abs=1e-3)
    assert figures["p95"] == pytest.approx(np.percentile(values, 95), abs=1e-3)


def test_only_stages_that_ran_are_told():
    clock = timings.Timings()
    with clock.stage("track"):
        pass
    assert list(clock.summary()) == ["track"]


def test_memory_stays_bounded_and_the_latest_samples_count(monkeypatch):
    monkeypatch.setattr(timings, "_KEEP", 512)
    clock = timings.Timings()
    for value in [1.0] * 1000 + [2.0] * 512:
        clock.add("read", value)
    assert clock.summary()["read"]["median"] == 2
    assert clock.summary()["read"]["count"] == 1512
    assert len(clock._samples["read"]) == 512
