"""New people are noticed without a detector; known people, noise and light are ignored."""

import numpy as np
import pytest

from posetrack.tracker.perception.activity import Activity
from posetrack.tracker.types import Frame

NO_ONE = np.zeros((0, 4))


def frame(*people, light=0, size=(360, 640), seed=0):
    rng = np.random.default_rng(seed)
    image = np.full((*size, 3), 90.0 + light)
    for left, top, right, bottom in people:
        image[top:bottom, left:right] = 200 + light
    return Frame((image + rng.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8), 0, 0.0)


def changed(before, after, boxes=NO_ONE):
    activity = Activity()
    activity(before, NO_ONE)
    activity.keep()
    return activity(after, np.reshape(boxes, (-1, 4)))


def test_the_first_image_is_new():
    assert Activity()(frame(), NO_ONE)


def test_a_new_person_is_detected():
    assert changed(frame(), frame([0, 100, 40, 300], seed=1))


@pytest.mark.parametrize("light", [0, 20])
def test_noise_and_light_are_not(light):
    assert not changed(frame(), frame(light=light, seed=1))


def test_who_is_known_moves_freely():
    here, there = [200, 100, 260, 300], [206, 100, 266, 300]
    assert changed(frame(here), frame([300, 100, 360, 300]))
    assert not changed(frame(here), frame(there, seed=1), boxes=there)


def test_a_image_of_another_size_is_new():
    assert changed(frame(), frame(size=(360, 600)))


def test_what_was_kept_is_what_counts():
    activity = Activity()
    activity(frame(), NO_ONE)
    activity.keep()
    new = frame([0, 100, 40, 300])
    assert activity(new, NO_ONE)
    assert activity(new, NO_ONE)  # until the next detection
    activity.keep()
    assert not activity(new, NO_ONE)
