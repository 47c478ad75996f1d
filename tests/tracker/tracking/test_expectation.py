"""Predictions between two processed frames, and poses from crops that no longer show the person."""

import numpy as np
import pytest

from posetrack import Poses, PoseTracker
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.expectation import with_own_boxes
from posetrack.tracker.types import State

FPS = 30
WALK = synthetic.people(synthetic.regular(2, FPS), starts=[[200, 300], [600, 300]], velocities=[[120, 0], [0, 0]])


def tracked(frames, **options):
    tracker = PoseTracker(**options)
    for time, poses, _ in list(WALK.frames())[:frames]:
        tracks = tracker.update(poses, time)
    return tracker, tracks


def test_people_are_expected_where_they_go():
    tracker, _ = tracked(30)
    expected = tracker.expect(30 / FPS)
    assert expected.ids.tolist() == [1, 2]
    assert expected.poses.boxes == pytest.approx(WALK.boxes[30], abs=4)
    torso = [5, 6, 11, 12]
    assert expected.poses.keypoints[:, torso] == pytest.approx(WALK.keypoints[30][:, torso], abs=3)
    assert set(expected.states) == {State.MEASURED}


def test_expecting_changes_nothing():
    (asked, _), (other, _) = tracked(20), tracked(20)
    asked.expect(5.0)
    time, poses, _ = list(WALK.frames())[20]
    a, b = asked.update(poses, time), other.update(poses, time)
    np.testing.assert_array_equal(a.poses.keypoints, b.poses.keypoints)


def test_the_camera_moves_what_is_expected():
    tracker, _ = tracked(20)
    still = tracker.expect(20 / FPS)
    moved = tracker.expect(20 / FPS, motion=np.array([[1.0, 0, 30], [0, 1, -10]]))
    assert moved.poses.boxes - still.poses.boxes == pytest.approx(np.tile([30, -10, 30, -10], (2, 1)))


def test_who_was_not_seen_is_expected_as_predicted():
    tracker, _ = tracked(20)
    _, poses, _ = list(WALK.frames())[20]
    tracker.update(poses[:1], 20 / FPS)
    assert tracker.expect(21 / FPS).states == (State.MEASURED, State.PREDICTED)


def test_a_frame_that_is_not_processed_is_predicted_and_loses_no_track():
    tracker, _ = tracked(30)
    tracks = tracker.predict(30 / FPS)
    assert tracks.states == (State.PREDICTED,) * 2
    assert tracks.poses.boxes == pytest.approx(WALK.boxes[30], abs=4)
    assert tracker.expect(31 / FPS).states == (State.MEASURED,) * 2


def test_every_second_frame_keeps_the_ids_and_nearly_the_places():
    every, second = PoseTracker(), PoseTracker()
    apart = []
    for index, (time, poses, _) in enumerate(WALK.frames()):
        full = every.update(poses, time)
        half = second.predict(time) if index % 2 else second.update(poses, time)
        assert half.ids.tolist() == full.ids.tolist()
        apart.append(np.linalg.norm(half.poses.keypoints - full.poses.keypoints, axis=-1))
    assert np.percentile(apart, 95) < 0.02 * 200  # heights of the person


def poses(keypoints, boxes, scores=0.9):
    n = len(keypoints)
    return Poses(boxes, keypoints, np.full((n, 17), scores), np.full(n, 0.8))


BODY, BOX = WALK.keypoints[0, 1:], WALK.boxes[0, 1:]
EXPECTED = poses(BODY, BOX)


def test_a_box_goes_with_its_keypoints():
    found = with_own_boxes(poses(BODY + np.array([7.0, -3.0]), BOX), EXPECTED)
    assert found.boxes == pytest.approx(BOX + np.array([7, -3, 7, -3]), abs=1e-3)
    middle = np.median(BODY, axis=1, keepdims=True)
    grown = with_own_boxes(poses(middle + 1.05 * (BODY - middle), BOX), EXPECTED)
    assert (grown.boxes[:, 3] - grown.boxes[:, 1]) / (BOX[:, 3] - BOX[:, 1]) == pytest.approx(1.05, abs=0.02)


@pytest.mark.parametrize(
    "crop",
    [
        pytest.param(poses(BODY, BOX, scores=0.2), id="hardly anything is seen"),
        pytest.param(poses(BODY + np.array([200.0, 0.0]), BOX), id="another person"),
        pytest.param(poses(np.full_like(BODY, np.nan), BOX, scores=0.0), id="nothing is"),
    ],
)
def test_a_crop_without_the_person_measures_no_one(crop):
    assert len(with_own_boxes(crop, EXPECTED)) == 0


def test_no_people_are_carried():
    assert len(with_own_boxes(EXPECTED[:0], EXPECTED[:0])) == 0
