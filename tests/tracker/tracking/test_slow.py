"""Slow and uneven videos: misses are counted in processed frames, because these may be far apart in time."""

from dataclasses import replace

import numpy as np
import pytest

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.config import LATENCIES
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import State

BURSTS = np.concatenate([start + np.arange(5) / 30 for start in (0, 4, 10, 25)])
RATES = {
    "5 fps": synthetic.regular(4, 5),
    "2 fps": synthetic.regular(10, 2),
    "1 fps": synthetic.regular(20, 1),
    "a frame every 4 s": 4.0 * np.arange(10),
    "a frame a minute": 60.0 * np.arange(10),
    "uneven": np.cumsum([0, 0.04, 4, 0.04, 0.5, 9, 0.1, 2.5, 30, 0.04]),
    "bursts": BURSTS,
}


def follow(scene, tracker=None, **frames):
    tracker = tracker or PoseTracker()
    return [(tracker.update(poses, time, size=(480, 640)), poses) for time, poses, _ in scene.frames(**frames)]


@pytest.mark.parametrize("score", [0.9, 0.5])
@pytest.mark.parametrize("rate", RATES)
def test_one_person_keeps_one_id_and_has_a_row_in_each_frame(rate, score):
    tracker = PoseTracker()
    for time, poses, _ in synthetic.standing(RATES[rate]).frames(noise=0.02):
        tracks = tracker.update(replace(poses, box_scores=[score]), time, size=(480, 640))
        assert tracks.ids.tolist() == [1]
        assert tracks.states == (State.MEASURED,)


@pytest.mark.parametrize("rate", RATES)
def test_a_newcomer_is_shown_from_the_second_frame_on(rate):
    scene = synthetic.standing(RATES[rate])
    scene = replace(scene, visible=(np.arange(len(scene.times)) >= 2)[:, None])
    assert [len(tracks) for tracks, _ in follow(scene)] == [0, 0, 0] + [1] * (len(scene.times) - 3)


@pytest.mark.parametrize("rate", ["2 fps", "1 fps", "a frame every 4 s", "a frame a minute"])
@pytest.mark.parametrize("missed", [1, 2, 3])
def test_a_few_missed_frames_keep_the_id(rate, missed):
    scene = synthetic.standing(RATES[rate])
    hidden = np.isin(np.arange(len(scene.times)), 2 + np.arange(missed))
    results = follow(replace(scene, visible=~hidden[:, None]), noise=0.01)
    ids = [tracks.ids.tolist() for tracks, _ in results]
    assert ids == [[] if unseen else [1] for unseen in hidden]  # no prediction is output for so long


def test_patience_ends():
    scene = synthetic.standing(4.0 * np.arange(14))
    visible = np.isin(np.arange(14), [0, 1, 2, 8, 9, 10])
    results = follow(replace(scene, visible=visible[:, None]))
    assert [tracks.ids.tolist() for tracks, _ in results[8:11]] == [[], [2], [2]]


@pytest.mark.parametrize("smooth", LATENCIES)
@pytest.mark.parametrize("step", [0.5, 4.0, 60.0])
def test_keypoints_are_where_they_were_measured_when_frames_are_far_apart(smooth, step):
    """A body at another place in every frame is drawn there, neither dragged behind nor left out as an outlier."""
    times = step * np.arange(8)
    centres = np.array([320.0, 240.0]) + np.array(
        [[0, 0], [30, 0], [45, 10], [20, 20], [-20, 0], [0, 0], [40, 5], [60, 0]]
    )
    scene = synthetic.bodies(times, centres[:, None], heights=[200], moving=[True])
    for tracks, poses in follow(scene, PoseTracker(smooth=smooth), noise=0.01):
        assert tracks.ids.tolist() == [1]
        np.testing.assert_allclose(tracks.poses.keypoints, poses.keypoints, atol=0.5)
        np.testing.assert_allclose(tracks.poses.boxes, poses.boxes, atol=6)


def test_a_step_that_is_long_for_once_is_survived():
    """A recording that pauses, as a camera that only records motion does."""
    for tracks, poses in follow(synthetic.standing(BURSTS), noise=0.005):
        assert tracks.ids.tolist() == [1]
        assert np.abs(tracks.poses.keypoints - poses.keypoints).max() < 8


def test_two_people_far_apart_do_not_take_turns():
    scene = synthetic.people(4.0 * np.arange(8), starts=[[150, 240], [480, 240]], velocities=[[0, 0], [0, 0]])
    rng = np.random.default_rng(1)
    tracker = PoseTracker()
    for time, poses, _ in scene.frames(noise=0.02):
        tracks = tracker.update(poses[rng.permutation(2)], time, size=(480, 640))
        assert tracks.ids.tolist() == [1, 2]
        assert tracks.poses.boxes[0, 0] < tracks.poses.boxes[1, 0]


def test_frames_that_are_not_processed_count_as_no_misses():
    """With `--pose-every 100` a person is detected every few seconds; in between they are predicted, not missed."""
    tracker = PoseTracker()
    for index, (time, poses, _) in enumerate(synthetic.standing(synthetic.regular(12, 25)).frames(noise=0.01)):
        tracks = tracker.update(poses, time) if index % 100 == 0 else tracker.predict(time)
        assert tracks.ids.tolist() in ([1], [])
        assert index % 100 or tracks.ids.tolist() == [1]
