"""Matches are one to one, above the gate, and the best together."""

import numpy as np

from posetrack.tracker.tracking.association import Stage, assign, associate


def test_assign_takes_the_greatest_sum_above_the_gate():
    similarity = np.array([[0.9, 0.8, 0.0], [0.8, 0.1, 0.0], [0.1, 0.1, 0.2]])
    rows, columns = assign(similarity, 0.3)
    assert list(zip(rows.tolist(), columns.tolist())) == [(0, 1), (1, 0)]


def test_stages_do_not_touch_what_is_matched():
    rng = np.random.default_rng(1)
    similarity = rng.random((8, 6))
    high = np.array([True, True, True, False, False, False])
    everybody = np.ones(8, dtype=bool)
    stages = [Stage(similarity, everybody, high, 0.0), Stage(similarity, everybody, ~high, 0.0)]
    tracks, poses, lost, left = associate(stages, 8, 6)
    assert sorted(poses.tolist()) == list(range(6))
    assert len(set(tracks.tolist())) == 6
    assert sorted([*tracks.tolist(), *lost.tolist()]) == list(range(8))
    assert len(left) == 0
    first = associate(stages[:1], 8, 6)
    known = dict(zip(tracks.tolist(), poses.tolist()))
    assert all(known[track] == pose for track, pose in zip(first[0].tolist(), first[1].tolist()))


def test_nobody():
    tracks, poses, lost, left = associate([Stage(np.zeros((0, 2)), np.ones(0, bool), np.ones(2, bool), 0.1)], 0, 2)
    assert (len(tracks), len(poses), len(lost), left.tolist()) == (0, 0, 0, [0, 1])
