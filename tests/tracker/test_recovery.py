"""People and limbs that the detector misses are followed by their pose, as long as the pose shows them."""

from dataclasses import replace

import numpy as np
import pytest

from posetrack import Detections, Frame, Pipeline, Poses
from posetrack.models.geometry.crop import crop_regions
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.perception.schedule import Schedule
from posetrack.tracker.tracking.recovery import agree
from posetrack.tracker.types import State

FPS = 30
STANDING = synthetic.people(synthetic.regular(6, FPS), starts=[[100, 240], [400, 240]], velocities=[[0, 0], [0, 0]])
WALKING = synthetic.people(synthetic.regular(3, FPS), starts=[[100, 240], [400, 240]], velocities=[[60, 0], [0, 30]])
CROSSING = synthetic.people(synthetic.regular(3, FPS), starts=[[200, 240], [400, 260]], velocities=[[0, 0], [-120, 0]])


class Detector:
    """Finds the people of a scene, but the first one only where `finds` says so."""

    name, sha256, network = "truth", "", None

    def __init__(self, scene, finds):
        self.scene, self.finds = scene, finds

    def __call__(self, frame):
        boxes = self.scene.boxes[frame.index][0 if self.finds(frame.index) else 1 :]
        return Detections(boxes, np.full(len(boxes), 0.9))


class Estimator:
    """Describes the person nearest to a box, or an empty crop with low scores."""

    name, sha256, network, skeleton = "truth", "", None, COCO

    def __init__(self, scene, leaves):
        self.scene, self.leaves, self.crops = scene, leaves, []

    def __call__(self, frame, people):
        self.crops += [(frame.index, len(people))] if len(people) else []
        keypoints, scores = [], []
        for box in people.boxes:
            away = np.linalg.norm((self.scene.boxes[frame.index] - box).reshape(-1, 4), axis=1)
            person = int(away.argmin())
            gone = person == 0 and frame.index >= self.leaves
            keypoints.append(self.scene.keypoints[frame.index][person])
            scores.append(np.full(len(COCO), 0.15 if gone else 0.9))
        return Poses(
            people.boxes, np.reshape(keypoints, (-1, len(COCO), 2)), np.reshape(scores, (-1, 17)), people.scores
        )


def track(scene, *, finds, leaves=10_000, **options):
    estimator = Estimator(scene, leaves)
    pipeline = Pipeline(Detector(scene, finds), estimator, **options)
    image = np.zeros((480, 640, 3), np.uint8)
    return [pipeline(Frame(image, index, float(time))) for index, time in enumerate(scene.times)], estimator


def rows(tracks, number=1):
    """Return the frames in which a person is measured."""
    return [i for i, people in enumerate(tracks) if (number, State.MEASURED) in zip(people.ids, people.states)]


@pytest.mark.parametrize("detect_every", [1, "auto"])
@pytest.mark.parametrize("scene", [STANDING, WALKING], ids=["standing", "walking"])
def test_a_person_whom_the_detector_misses_for_a_second_is_measured(scene, detect_every):
    tracks, _ = track(scene, finds=lambda frame: not 30 <= frame < 60, schedule=Schedule(detect_every))
    assert set(range(30, 60)) <= set(rows(tracks))
    assert max(people.ids.max() for people in tracks) == 2
    errors = [np.abs(people.keypoints[0] - scene.keypoints[i][0]).max() for i, people in enumerate(tracks) if i > 30]
    assert max(errors) < 15  # pixels, of 200 in height: the smoothing lags behind the fastest limb


def test_without_recovery_such_a_person_is_predicted_and_then_missing():
    tracks, estimator = track(WALKING, finds=lambda frame: not 30 <= frame < 60, recover=False)
    assert not set(range(30, 60)) & set(rows(tracks))
    assert dict(estimator.crops)[45] == 1


def test_a_person_who_left_is_not_measured():
    tracks, _ = track(WALKING, finds=lambda frame: frame < 30, leaves=30)
    assert max(rows(tracks)) == 29
    assert 1 not in tracks[-1].ids


def test_a_person_who_is_never_detected_again_is_lost():
    tracks, _ = track(STANDING, finds=lambda frame: frame < 30)
    measured = rows(tracks)
    assert 60 < max(measured) < 175  # of 180 frames
    scores = [float(people.poses.box_scores[0]) for people in tracks[30:60]]
    assert scores == sorted(scores, reverse=True)


def test_no_crop_is_spent_on_a_person_behind_another():
    tracks, estimator = track(CROSSING, finds=lambda frame: not 40 <= frame < 60)
    hidden = [i for i in range(40, 60) if abs(CROSSING.boxes[i, 1, 0] - CROSSING.boxes[i, 0, 0]) < 20]
    assert hidden
    assert all(dict(estimator.crops)[i] == 1 for i in hidden)
    assert tracks[-1].ids.tolist() == [1, 2]


class Cropped(Estimator):
    """Sees only what lies in the crop of a box; guesses the rest at the crop's edge, with low scores."""

    def __call__(self, frame, people):
        poses = super().__call__(frame, people)
        (centre,), (size,) = crop_regions(people.boxes, input_size=(256, 192))
        cut = np.clip(poses.keypoints, centre - size / 2, centre + size / 2)
        seen = (cut == poses.keypoints).all(-1)
        return replace(poses, keypoints=cut, scores=np.where(seen, poses.scores, 0.15))


@pytest.mark.parametrize("recover", [True, False])
def test_an_arm_outside_the_detected_box_is_found(recover):
    scene = synthetic.raised_arms(synthetic.regular(3, FPS))
    hands = [COCO.keypoints.index(f"{side}_wrist") for side in ("left", "right")]
    trunk = synthetic.fitted(replace(scene, keypoints=scene.keypoints[:, :, [0, 5, 6, 11, 12, 15, 16]]), 0)
    pipeline = Pipeline(Detector(trunk, lambda frame: True), Cropped(scene, 10_000), recover=recover)
    image, apart, outside = np.zeros((480, 640, 3), np.uint8), [], []
    for index, time in enumerate(scene.times):
        tracks, true = pipeline(Frame(image, index, float(time))), scene.keypoints[index, 0, hands]
        apart.append(np.linalg.norm(tracks.keypoints[0, hands] - true, axis=-1).max())
        outside.append(np.maximum(tracks.boxes[0, :2] - true, true - tracks.boxes[0, 2:]).max())
    assert (max(apart) < 20) == recover  # pixels, of 200 in height
    assert (max(outside) < 35) == recover


def test_a_pose_of_someone_who_was_found_is_no_second_person():
    people = Poses(WALKING.boxes[30], WALKING.keypoints[30], np.full((2, len(COCO)), 0.9), np.full(2, 0.9))
    half = np.where(np.arange(len(COCO)) < 9, 0.9, 0.1)[None]  # of the first person, in another crop
    beside = replace(people[[0]], boxes=people.boxes[:1] + 40, scores=half)
    assert agree(beside, people, COCO.sigmas).tolist() == [[True, False]]
    assert not agree(beside, Poses.empty(len(COCO)), COCO.sigmas).any()


def test_a_wider_crop_that_shows_a_neighbour_changes_nothing():
    scene = synthetic.people(synthetic.regular(2, FPS), starts=[[200, 240], [270, 240]], velocities=[[0, 0], [0, 0]])
    narrow = replace(scene, boxes=scene.boxes.copy())
    narrow.boxes[30:, 0, 2] -= 30  # cuts off the left arm

    class Wide(Estimator):
        def __call__(self, frame, people):
            poses = super().__call__(frame, people)
            wider = frame.index >= 30 and len(people) == 1
            return replace(poses, keypoints=self.scene.keypoints[frame.index][1:]) if wider else poses

    pipeline = Pipeline(Detector(narrow, lambda frame: True), estimator := Wide(scene, 10_000))
    image = np.zeros((480, 640, 3), np.uint8)
    for index, time in enumerate(scene.times):
        tracks = pipeline(Frame(image, index, float(time)))
        assert np.abs(tracks.keypoints - scene.keypoints[index]).max() < 15
        assert tracks.ids.tolist() == [1, 2]
    assert (30, 1) in estimator.crops  # a second estimate was made


def test_boxes_of_a_file_are_all_that_there_are(tmp_path):
    from posetrack import load_pipeline

    (tmp_path / "boxes.txt").write_text("1,-1,10,10,50,100,0.9,-1,-1,-1\n")
    assert not load_pipeline(detector=str(tmp_path / "boxes.txt")).recover
    assert load_pipeline(detector=lambda frame: [[10, 10, 60, 110]]).session().recover
