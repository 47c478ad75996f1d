"""Matches are one to one, above the gate, and the best together."""

import numpy as np
import pytest

from posetrack.tracker.evaluation.matching import assign as oracle
from posetrack.tracker.tracking.association import assign, associate


def test_assign_takes_the_greatest_sum_above_the_gate():
    similarity = np.array([[0.9, 0.8, 0.0], [0.8, 0.1, 0.0], [0.1, 0.1, 0.2]])
    assert assign(similarity, 0.3).tolist() == [1, 0, -1]


@pytest.mark.parametrize("seed", range(40))
def test_assign_is_as_good_as_scipys(seed):
    rng = np.random.default_rng(seed)
    t, n, gate = rng.integers(1, 13), rng.integers(1, 13), rng.choice([0.0, 0.3, 0.7])
    similarity = rng.random((t, n)) * (rng.random((t, n)) < rng.choice([0.2, 0.6, 1.0]))
    match = assign(similarity, gate)
    rows = np.flatnonzero(match >= 0)
    assert len(set(match[rows].tolist())) == len(rows)
    assert (similarity[rows, match[rows]] >= gate).all()
    assert similarity[rows, match[rows]].sum() == pytest.approx(similarity[oracle(similarity, gate)].sum())


def test_stages_do_not_touch_what_is_matched():
    similarity = np.random.default_rng(1).random((8, 6))
    high = np.array([True, True, True, False, False, False])
    all_tracks, match, taken = np.ones(8, bool), np.full(8, -1), np.zeros(6, bool)
    associate(match, taken, similarity, all_tracks, high, 0.0)
    first = match.copy()
    assert taken.tolist() == high.tolist()
    associate(match, taken, similarity, all_tracks, ~high, 0.0)
    assert taken.all()
    assert (match[first >= 0] == first[first >= 0]).all()
    assert sorted(match[match >= 0].tolist()) == list(range(6))


def test_no_people():
    match, taken = np.zeros(0, np.intp), np.zeros(2, bool)
    associate(match, taken, np.zeros((0, 2)), np.zeros(0, bool), np.ones(2, bool), 0.1)
    assert not taken.any()
    assert len(assign(np.zeros((0, 2)), 0.1)) == 0
