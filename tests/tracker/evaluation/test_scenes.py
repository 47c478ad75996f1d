"""Golden figures that a tracker must reach on every scene, at any noise; and a test that they can be missed."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from posetrack.tracker.evaluation.identity import measure_identity
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.evaluation.scene_runs import VISIBILITY, track_scene, truth
from posetrack.tracker.evaluation.scenes import SETUPS, SIZE
from posetrack.tracker.formats.trajectories import Trajectories
from posetrack.tracker.tracking.tracker import PoseTracker

pytest.importorskip("trackeval", reason="needs TrackEval: pip install 'posetrack[eval]'")
SEEDS = (0, 1, 2)
IDF1 = {  # at the least, over all seeds; switches are allowed nowhere
    "walking": 0.99,
    "crossing": 0.99,
    "pole": 0.96,
    "group of 12": 0.99,
    "fast turn": 0.97,
    "camera pan": 0.98,
    "15 fps": 0.99,
    "30 fps": 0.99,
    "60 fps": 0.99,
    "variable rate": 0.99,
    "30 % missed": 0.98,
    "false positives": 0.96,
    "swapped sides": 0.99,
    "entries and exits": 0.95,
}


@cache
def followed(name):
    return {str(seed): track_scene(SETUPS[name], seed=seed) for seed in SEEDS}


def shuffled(people: Trajectories, seed: int) -> Trajectories:
    """Return the people with their ids dealt anew in every tenth frame."""
    ids, rng = people.ids.copy(), np.random.default_rng(seed)
    for frame in np.unique(people.frames)[::10]:
        rows = people.frames == frame
        ids[rows] = rng.permutation(np.roll(ids[rows], 1))
    return replace(people, ids=ids)


def test_every_scene_has_its_bound():
    assert IDF1.keys() == SETUPS.keys()


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.slow
def test_ids_hold(name):
    figures = measure_identity(followed(name))["all"]
    assert figures["switches"] == 0
    assert figures["IDF1"] >= IDF1[name]
    assert figures["people"] <= figures["ids"] <= 1.5 * figures["people"]


@pytest.mark.parametrize("name", SETUPS)
def test_shuffled_ids_miss_the_bound(name):
    comparison = followed(name)["0"]
    shuffle = compare(comparison.truth, shuffled(comparison.result, 0), visibility=VISIBILITY)
    assert measure_identity({"0": shuffle})["all"]["switches"] > 0


@pytest.mark.parametrize(
    "fault", [{"gate": 0.97, "low_gate": 0.97, "reach_gate": 1.0}, {"lost_seconds": 0.05, "missed_frames": 0}]
)
def test_a_broken_association_misses_the_bounds(fault):
    names = ("pole", "30 % missed", "group of 12")
    broken = {name: track_scene(SETUPS[name], PoseTracker(**fault)) for name in names}
    figures = measure_identity(broken)
    assert all(figures[name]["IDF1"] < IDF1[name] or figures[name]["switches"] > 0 for name in names)


@pytest.mark.parametrize("name", SETUPS)
def test_a_seed_is_one_scene(name):
    frames = [list(SETUPS[name].frames(seed=seed)) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(frames[0][5][1].keypoints, frames[1][5][1].keypoints)
    assert any(len(a) != len(b) or (a.boxes != b.boxes).any() for (_, a), (_, b) in zip(frames[0], frames[2]))
    assert all(np.isfinite(poses.boxes).all() for _, poses in frames[0])


def test_a_pole_hides_and_the_near_cover_the_far():
    _, covered, share = SETUPS["pole"].scene()
    assert share.min() == 0
    assert covered[share == 0].mean() > 0.9  # a hand or foot may stick out
    scene, covered, share = SETUPS["crossing"].scene()
    covered, share = covered[scene.times < 4], share[scene.times < 4]  # before they leave the image
    assert share[:, 0].min() == 1  # is lower in the image
    assert share[:, 1].min() < 0.8
    assert covered[:, 1].any()
    assert not covered[:, 0].any()


def test_truth_is_in_the_image_and_in_time():
    setup = SETUPS["entries and exits"]
    people = truth(setup)
    centres = people.boxes.reshape(-1, 2, 2).mean(1)
    assert ((centres > -100) & (centres < np.array(SIZE) + 100)).all()
    last = people[people.ids == 6]
    assert last.times.min() == pytest.approx(4.0, abs=0.04)
