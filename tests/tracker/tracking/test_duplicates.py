"""Each person is reported once, and no other person is removed as a duplicate."""

import numpy as np

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.tracking.duplicates import distinct

WHOLE = np.array([0.0, 0, 60, 180])
POSE = np.random.default_rng(0).uniform([5, 5], [55, 80], (17, 2))  # of the upper half, so that a half box holds it


def kept(boxes, keypoints, box_scores, scores=0.9):
    boxes, keypoints, box_scores = (np.array(values, dtype=np.float64) for values in (boxes, keypoints, box_scores))
    scores = np.full((len(boxes), 17), scores)
    rows, doubtful = distinct(boxes, keypoints, scores, box_scores, np.array(COCO.sigmas), 0.7)
    return rows.tolist(), doubtful.tolist()


def test_the_same_box_twice_is_one_person_with_or_without_keypoints():
    assert kept([WHOLE, WHOLE], [POSE, POSE], [0.9, 0.9])[0] == [0]
    assert kept([WHOLE, WHOLE], np.full((2, 17, 2), np.nan), [0.9, 0.9], scores=0.0)[0] == [0]


def test_half_a_person_is_a_copy_where_the_poses_agree():
    half = np.array([0.0, 0, 60, 90])
    assert kept([WHOLE, half], [POSE, POSE + 1], [0.9, 0.5])[0] == [0]
    assert kept([WHOLE, half], [POSE, POSE[::-1]], [0.9, 0.5])[0] == [0, 1]  # a child before an adult


def test_two_sure_people_with_one_pose_stay_and_their_poses_are_doubtful():
    beside = WHOLE + np.array([25, 0, 25, 0])
    assert kept([WHOLE, beside, WHOLE + 500], [POSE, POSE, POSE + 500], [0.9, 0.9, 0.9]) == (
        [0, 1, 2],
        [True, True, False],
    )


def test_a_copy_of_a_copy_removes_no_other_person():
    chain = [WHOLE, np.array([0.0, 0, 60, 90]), np.array([0.0, 60, 60, 120])]
    keypoints = [POSE, POSE, POSE]
    assert kept(chain, keypoints, [0.9, 0.6, 0.3])[0] == [0]


def test_no_people():
    assert kept(np.zeros((0, 4)), np.zeros((0, 17, 2)), []) == ([], [])
