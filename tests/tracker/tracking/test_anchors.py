"""Boxes between detections: they stay the detected ones, and their edges go where the keypoints near them go."""

import numpy as np
import pytest

from posetrack import Poses, Tracks
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.anchors import Anchors, moved
from posetrack.tracker.types import State

STAND = synthetic.people(synthetic.regular(1, 30), starts=[[200, 300], [600, 300]], velocities=[[0, 0], [0, 0]])
BODIES, BOXES = STAND.keypoints[0], STAND.boxes[0]


def poses(keypoints=BODIES, boxes=BOXES, scores=0.9):
    return Poses(boxes, keypoints, np.broadcast_to(scores, keypoints.shape[:2]).copy(), np.full(len(boxes), 0.8))


def known(ids=(1, 2), **words):
    people = poses(**words)
    return Tracks(np.array(ids), people, np.zeros((len(ids), 2)), (State.MEASURED,) * len(ids))


def test_a_box_moves_with_its_person():
    np.testing.assert_allclose(
        moved(poses(), poses(BODIES + np.array([7, -3]))), BOXES + np.array([7, -3, 7, -3]), atol=1e-3
    )


def test_a_stretched_arm_takes_its_edge_along_and_no_other():
    bodies = BODIES.copy()
    arm = COCO.keypoints.index("left_wrist")
    middle = (BOXES[0, 0] + BOXES[0, 2]) / 2
    reach = 40.0 if bodies[0, arm, 0] > middle else -40.0
    bodies[0, arm, 0] += reach
    shift = moved(poses(), poses(bodies))[0] - BOXES[0]
    outer, inner = (shift[2], shift[0]) if reach > 0 else (shift[0], shift[2])
    assert abs(outer) > 3 * abs(inner)
    assert np.sign(outer) == np.sign(reach)
    assert abs(shift[[1, 3]]).max() < 1


def test_unsure_keypoints_move_nothing():
    scores = np.full((2, 17), 0.9)
    scores[:, 9] = 0.1
    bodies = BODIES.copy()
    bodies[:, 9] += 500
    np.testing.assert_allclose(moved(poses(), poses(bodies, scores=scores)), BOXES, atol=1e-6)


def test_no_people_are_moved():
    assert moved(poses()[:0], poses()[:0]).shape == (0, 4)


def test_the_detected_box_counts_and_not_the_filters():
    anchors, detected = Anchors(), BOXES + np.array([-20, 0, 20, 0])
    anchors.keep(known(), detected[::-1])
    placed = anchors.place(known(keypoints=BODIES + 5))
    assert placed.poses.boxes == pytest.approx(detected + 5, abs=0.01)
    assert placed.ids.tolist() == [1, 2]


def test_who_was_not_detected_keeps_the_box():
    anchors = Anchors()
    assert anchors.place(known()).poses.boxes == pytest.approx(BOXES)
    anchors.keep(known(), BOXES[1:] + 10)
    assert anchors.place(known()).poses.boxes == pytest.approx(BOXES + np.array([[0], [10]]))
    assert anchors.place(known(ids=(2, 3))).poses.boxes[1] == pytest.approx(BOXES[1])
    anchors.keep(known(), np.zeros((0, 4)))
    assert anchors.place(known()).poses.boxes == pytest.approx(BOXES)


def test_a_reset_forgets_them():
    anchors = Anchors()
    anchors.keep(known(), BOXES + 10)
    anchors.reset()
    assert anchors.place(known()).poses.boxes == pytest.approx(BOXES)
