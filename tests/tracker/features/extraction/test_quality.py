"""Plausibility: impossible angles and lengths are flagged and left out, and quality follows its four causes."""

import motions
import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation.synthetic import regular
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.types import STATES, Poses, State, Tracks

ROW = {name: index for index, name in enumerate(COCO.keypoints)}


def standing(*, yaw=0.0, change=None, score=0.9, states=None):
    """Return the features of the middle frame of a person who stands for a second."""
    person = motions.perform([motions.stand(1)], regular(1, 30), yaw=yaw)
    actions, done = ActionFeatures(), []
    for index, time, poses in person.frames():
        keypoints = poses.keypoints.copy()
        if change and index == 15:
            change(keypoints[0])
        scores = np.full((1, 17), score)
        known = {} if states is None else {"keypoint_states": np.full((1, 17), STATES.index(states), np.uint8)}
        tracks = Tracks([1], Poses(poses.boxes, keypoints, scores), np.zeros((1, 2)), (State.MEASURED,), **known)
        done += actions.update(index, time, tracks)
    return (done + actions.finish())[15]


def bent_the_wrong_way(pose):
    for side in ("left", "right"):
        knee = pose[ROW[f"{side}_knee"]]
        pose[ROW[f"{side}_ankle"]] = knee + np.array([50, 5])  # forwards, for someone who faces right


def far_ankle(pose):
    pose[ROW["left_ankle"]] += [0, 120]


def test_an_upright_person_is_without_flags():
    features = standing()
    assert features.flags == ("",)
    assert not features.impossible.any()
    assert features["left_knee_quality"][0] == pytest.approx(0.9, abs=0.1)


def test_a_knee_that_bends_forwards_is_flagged_kept_and_left_out_of_summaries():
    features = standing(change=bent_the_wrong_way)
    assert features["left_knee_deg"][0] < -70
    assert "left_knee_range" in features.flags[0].split()
    assert features["left_knee_quality"][0] == 0
    column = features.names.index("left_knee_deg")
    assert np.isnan(features.plausible[0, column])
    assert np.isfinite(features.plausible[0, features.names.index("left_elbow_deg")])


def test_a_shank_that_is_too_long_is_flagged_with_every_angle_that_uses_it():
    features = standing(change=far_ankle)
    assert "left_shank_length" in features.flags[0].split()
    for name, is_possible in (("left_knee_deg", False), ("left_shank_deg", False), ("right_knee_deg", True)):
        assert np.isfinite(features.plausible[0, features.names.index(name)]) == is_possible


def test_the_quality_of_a_leg_falls_as_it_turns_to_the_camera_and_that_of_the_pelvis_rises():
    knees = [standing(yaw=yaw)["left_knee_quality"][0] for yaw in (0, 45, 90)]
    hips = [standing(yaw=yaw)["pelvis_quality"][0] for yaw in (0, 45, 90)]
    assert knees[0] > knees[1] > knees[2]
    assert hips[0] < hips[1] < hips[2]
    assert knees[2] < 0.3 < 0.8 < knees[0]


def test_the_quality_follows_scores_and_states():
    assert standing(score=0.5)["left_knee_quality"][0] == pytest.approx(0.5, abs=0.02)
    assert standing(states=State.INTERPOLATED)["left_knee_quality"][0] == pytest.approx(0.45, abs=0.02)
    assert standing(states=State.PREDICTED)["left_knee_quality"][0] == pytest.approx(0.225, abs=0.02)
    assert standing(states=State.PREDICTED)["nose_score"][0] == pytest.approx(0.225, abs=0.02)
