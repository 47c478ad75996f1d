import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from posetrack.tracker.load import load_pipeline
from posetrack.tracker.perception.neighbours import corrected, doubtful
from posetrack.tracker.types import Frame, Poses

PHOTOGRAPH = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets" / "zidane.jpg"
FRONT, BEHIND = [100.0, 0, 200, 300], [0.0, 0, 180, 300]


def body(left, confidence):
    """Return keypoints (17, 3) in two columns, 60 pixels apart."""
    return np.array([(left + 60 * (row % 2), 20 + 16 * row, confidence) for row in range(17)])


def poses(boxes, *people):
    found = np.array(people)
    return Poses(np.array(boxes), found[..., :2], found[..., 2], np.full(len(people), 0.9))


def test_a_pose_that_is_the_neighbours_is_looked_for_beside_him():
    rows, beside = doubtful(poses([BEHIND, FRONT], body(122, 0.6), body(120, 0.8)))
    assert rows.tolist() == [0]
    assert beside.tolist() == [[0, 0, 100, 300]]


@pytest.mark.parametrize(
    ("boxes", "people"),
    [
        ([BEHIND, FRONT], (body(20, 0.6), body(120, 0.8))),  # both poses are their own
        ([[120.0, 10, 190, 290], FRONT], (body(122, 0.6), body(120, 0.8))),  # nothing of the box is beside the other
        ([[300.0, 0, 400, 300], FRONT], (body(122, 0.6), body(120, 0.8))),  # the boxes do not touch
        ([BEHIND, FRONT], (body(122, 0.2), body(120, 0.8))),  # an uncertain pose is not compared
        ([FRONT], (body(120, 0.8),)),
    ],
)
def test_other_poses_stay_as_they_are(boxes, people):
    rows, beside = doubtful(poses(boxes, *people))
    assert len(rows) == len(beside) == 0


STRIP = [0.0, 0, 100, 300]  # of BEHIND, beside FRONT


def test_a_pose_found_beside_a_neighbour_replaces_the_old_one():
    old = poses([BEHIND, FRONT], body(122, 0.6), body(120, 0.8))
    new = corrected(old, np.array([0]), poses([STRIP], body(20, 0.55)))
    np.testing.assert_allclose(new.keypoints[:, 0, 0], [20, 120])
    np.testing.assert_allclose(new.scores[:, 0], [0.55, 0.8])
    np.testing.assert_array_equal(new.boxes, old.boxes)


@pytest.mark.parametrize(
    ("left", "confidence"),
    [
        (20, 0.5),  # less confident
        (101, 0.9),  # beside the part that was looked at: a guess from the neighbour's body
        (-2, 0.9),  # a third person's pose
        (20, 0.2),  # nothing is confident
    ],
)
def test_a_pose_found_beside_a_neighbour_must_be_the_persons_own(left, confidence):
    people = body(122, 0.6), body(120, 0.8), body(-4, 0.9)
    old = poses([BEHIND, FRONT, [-90.0, 0, 70, 300]], *people)
    new = corrected(old, np.array([0]), poses([STRIP], body(left, confidence)))
    np.testing.assert_array_equal(new.keypoints, old.keypoints)
    np.testing.assert_array_equal(new.scores, old.scores)


def test_two_people_of_a_photograph_keep_their_own_faces():
    pipeline = load_pipeline(device="cpu", offline=True)
    image = np.ascontiguousarray(
        cv2.imread(str(PHOTOGRAPH))[100:, 400:]
    )  # half of one man and his arm, in front of the other
    frame = Frame(image, 0, 0.0)
    detections = pipeline.detect(frame)
    people = detections[detections.scores > 0.5]
    assert len(people.boxes) == 2
    first, second = pipeline.estimator(frame, people).keypoints[:, 0]
    assert np.linalg.norm(first - second) < 40  # the network alone finds one face twice
    first, second = pipeline.estimate(frame, people).keypoints[:, 0]
    assert np.linalg.norm(first - second) > 200
