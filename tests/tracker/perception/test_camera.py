"""Camera motion is measured on the background, regardless of people's motion."""

import cv2
import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.tracker.perception.camera import CameraMotion
from posetrack.tracker.types import Frame

WORLD = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (400, 900, 3)).astype(np.uint8), (0, 0), 3)
WORLD = cv2.normalize(WORLD, None, 0, 255, cv2.NORM_MINMAX)


def run(offsets, mode="auto", fps=25, person=False, worlds=None):
    camera, motions, known = CameraMotion(mode), [], np.zeros((0, 4))
    for index, offset in enumerate(offsets):
        image = (WORLD if worlds is None else worlds[index])[:360, offset : offset + 640].copy()
        boxes = np.zeros((0, 4))
        if person:  # who walks against the camera, and fills half of the image
            image[20:340, 100 + 5 * index : 400 + 5 * index] = WORLD[:320, 300:600]
            boxes = np.array([[100 + 5 * index, 20, 400 + 5 * index, 340]])
        motions.append(camera(Frame(image, index, index / fps), known))
        known = boxes
    return motions


@pytest.mark.parametrize("person", [False, True])
def test_a_pan_is_followed(person):
    motions = run(np.arange(12) * 4, person=person)
    assert motions[0] == pytest.approx(np.eye(2, 3))
    for motion in motions[1:]:
        assert motion[:, :2] == pytest.approx(np.eye(2), abs=0.01)
        assert motion[:, 2] == pytest.approx([-4, 0], abs=0.7)


def test_a_still_camera_that_starts_to_move_is_noticed():
    offsets = np.concatenate([np.zeros(40, dtype=int), np.arange(30) * 4])
    motions = run(offsets)
    assert all((motion == np.eye(2, 3)).all() for motion in motions[28:40])
    gone = sum(motion[0, 2] for motion in motions)
    assert gone == pytest.approx(-offsets[-1], abs=8)


def test_a_slow_pan_adds_up():
    camera, gone, size = CameraMotion(), 0.0, (640, 360)
    for index in range(75):
        shift = np.array([[1, 0, -0.15 * index], [0, 1, 0]])  # of an image of 640: less than points shake
        image = cv2.warpAffine(WORLD, shift, size)
        gone += camera(Frame(image, index, index / 25), np.zeros((0, 4)))[0, 2]
    assert gone == pytest.approx(-0.15 * 74, abs=1)


def test_who_moves_in_front_of_a_plain_wall_does_not_move_the_camera():
    wall = cv2.GaussianBlur(WORLD, (0, 0), 40)[:360, :640]
    camera, known = CameraMotion(), np.zeros((0, 4))
    for index in range(30):
        image = wall.copy()
        starts = range(40 + 4 * index, 440 + 4 * index, 100)
        for left in starts:
            image[100:300, left : left + 60] = 255 - WORLD[100:300, left - 4 * index : left - 4 * index + 60]
        assert (camera(Frame(image, index, index / 25), known) == np.eye(2, 3)).all()
        known = np.array([[left + 2, 102, left + 58, 298] for left in starts])  # a detector's are never exact


def test_one_sharp_corner_does_not_hide_the_others():
    worlds = [cv2.addWeighted(WORLD, 0.1, WORLD, 0, 115)] * 10
    cv2.rectangle(worlds[0], (300, 100), (330, 130), (0, 0, 0), -1)
    motions = run(np.arange(10) * 4, worlds=worlds)
    assert [motion[0, 2] for motion in motions[1:]] == pytest.approx([-4] * 9, abs=0.5)


def test_a_static_camera_is_not_checked():
    assert all((motion == np.eye(2, 3)).all() for motion in run(np.arange(10) * 4, mode="static"))


def test_a_hard_cut_is_reported_and_tracking_continues():
    other = cv2.flip(255 - np.roll(WORLD, 333, axis=0), 0)
    motions = run([0] * 6, worlds=[WORLD] * 3 + [other] * 3)
    assert [motion is None for motion in motions] == [False, False, False, True, False, False]


def test_a_image_without_features_is_still():
    blank = np.zeros((400, 900, 3), dtype=np.uint8)
    assert all((motion == np.eye(2, 3)).all() for motion in run([0] * 5, worlds=[blank] * 5))


def test_an_unknown_mode_is_a_mistake():
    with pytest.raises(UsageError, match="static or moving"):
        CameraMotion("shaky")
