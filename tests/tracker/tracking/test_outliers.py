"""A keypoint that jumps for a moment is left out; one that stays where it jumped to is accepted."""

import numpy as np
import pytest

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Poses

WRISTS, FPS = [9, 10], 30


def shown(scene, change, **options):
    """Return keypoints (T, 17, 2) and scores of the only person, when `change(frame, keypoints)` spoils them."""
    tracker, keypoints, scores = PoseTracker(**options), [], []
    for frame, (time, poses, _) in enumerate(scene.frames(noise=0.005)):
        spoilt = poses.keypoints.copy()
        change(frame, spoilt[0])
        tracks = tracker.update(Poses(poses.boxes, spoilt, poses.scores, poses.box_scores), time)
        keypoints.append(tracks.poses.keypoints[0])
        scores.append(tracks.poses.scores[0])
    return np.array(keypoints), np.array(scores)


def swapped(frame, keypoints):
    if frame in (30, 31):
        keypoints[WRISTS] = keypoints[WRISTS[::-1]]


def test_wrists_that_change_places_for_two_frames_do_not_shake():
    scene = synthetic.walking(synthetic.regular(2, FPS))
    clean, _ = shown(scene, lambda frame, keypoints: None)
    for gate, bound in ((6.0, 6), (np.inf, np.inf)):
        keypoints, scores = shown(scene, swapped, keypoint_gate=gate, side_gate=np.inf)
        off = np.abs(keypoints - clean)[30:40, WRISTS].max()
        assert off < bound  # pixels, of a height of 200
    assert off > 10  # without a gate they do
    assert (scores > 0).all()


def jumped(frame, keypoints):
    if frame >= 30:
        keypoints[9] += (60, -80)


@pytest.mark.parametrize("patience", [2, 3])
def test_a_jump_is_accepted_after_so_many_frames(patience):
    scene = synthetic.standing(synthetic.regular(2, FPS))
    keypoints, scores = shown(scene, jumped, keypoint_patience=patience)
    away = np.linalg.norm(keypoints[:, 9] - (scene.keypoints[:, 0, 9] + [60, -80]), axis=-1)
    assert (away[30 : 29 + patience] > 80).all()
    assert (away[29 + patience :] < 10).all()
    assert scores[28 + patience, 9] < scores[29, 9] == scores[29 + patience, 9]  # it coasted, and is seen again


def test_outliers_all_over_the_place_are_never_accepted():
    rng = np.random.default_rng(0)

    def strewn(frame, keypoints):
        if 30 <= frame < 37:
            keypoints[9] += np.array([300, 0]) * (-1) ** frame + rng.uniform(0, 5, 2)

    scene = synthetic.standing(synthetic.regular(2, FPS))
    keypoints, _ = shown(scene, strewn)
    assert np.linalg.norm(keypoints[:, 9] - scene.keypoints[:, 0, 9], axis=-1).max() < 10
