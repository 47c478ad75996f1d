"""Plates never cover each other, lie inside the image, and a degree sign is a ring."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.output.overlay import draw_people
from posetrack.tracker.output.palette import palette
from posetrack.tracker.output.text_boxes import TextBoxes, text_box, text_size, write


def solid(value, *, height=10, width=30):
    return np.full((height, width, 3), value, np.uint8)


def areas(image, values):
    return [int((image[..., 0] == value).sum()) for value in values]


def test_a_second_plate_moves_to_where_there_is_room():
    image = np.zeros((100, 100, 3), np.uint8)
    text_boxes = TextBoxes(image)
    assert all(text_boxes.put(solid(value), 20, 50, steps=2) for value in (1, 2, 3, 4, 5))
    assert areas(image, (1, 2, 3, 4, 5)) == [300] * 5
    assert not text_boxes.put(solid(6), 40, 50, steps=2)  # no room is left
    assert text_boxes.put(solid(7), 51, 50, steps=0)  # but beside them
    assert areas(image, (6, 7)) == [0, 300]


@pytest.mark.parametrize(("x", "y"), [(-500, -500), (500, 500), (90, 95)])
def test_plates_lie_inside_the_image(x, y):
    image = np.zeros((100, 100, 3), np.uint8)
    assert TextBoxes(image).put(solid(1), x, y, steps=3)
    assert areas(image, [1]) == [300]


def test_a_plate_larger_than_the_image_is_cropped():
    image = np.zeros((5, 8, 3), np.uint8)
    assert TextBoxes(image).put(solid(1), 0, 0, steps=1)
    assert (image == 1).all()


def test_the_labels_of_a_crowd_do_not_cover_each_other(people):
    """Each is as large in the crowd as alone."""
    tracks = people(5, height=200, left=300, top=100)
    tracks.poses.boxes[:] = tracks.poses.boxes[2]  # in one place
    tracks.poses.scores[:] = 0  # labels only
    image = draw_people(np.zeros((480, 640, 3), np.uint8), tracks, skeleton=COCO, boxes=False)
    for n in range(5):
        alone = draw_people(np.zeros((480, 640, 3), np.uint8), tracks[[n]], skeleton=COCO, boxes=False)
        base = palette(int(tracks.ids[n])).base
        count = [int((each == base).all(-1).sum()) for each in (image, alone)]
        assert count[0] == count[1] > 0


def test_a_degree_sign_is_a_ring_at_the_top_right():
    height, width, margin = text_size("90°", 20)
    assert width > text_size("90", 20)[1]
    image = np.zeros((height, width, 3), np.uint8)
    write(image, "90°", 20, (255, 255, 255))
    end = text_size("90", 20)[1] - margin
    assert image[: height // 2, end:].any()
    assert not image[height // 2 :, end:].any()
    assert (text_box("90°", 20, (0, 0, 0), (255, 255, 255)) == image).all()
