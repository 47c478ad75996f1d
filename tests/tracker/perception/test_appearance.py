"""People are described by their own colours."""

import numpy as np
import pytest

from posetrack.tracker.perception.appearance import appearance_vectors


def person(image, left, top, shirt, trousers):
    image[top : top + 100, left : left + 50] = shirt
    image[top + 50 : top + 100, left : left + 50] = trousers
    return [left, top, left + 50, top + 100]


def test_the_same_clothes_are_alike_elsewhere_and_others_are_not():
    image = np.full((300, 500, 3), 100, dtype=np.uint8)
    red, blue = (20, 20, 220), (220, 20, 20)
    boxes = [person(image, 10, 10, red, blue), person(image, 400, 150, red, blue), person(image, 200, 50, blue, red)]
    described = appearance_vectors(image, np.array(boxes))
    assert np.linalg.norm(described, axis=1) == pytest.approx(1)
    alike = described @ described.T
    assert alike[0, 1] > 0.9
    assert alike[0, 2] < 0.3


@pytest.mark.parametrize("count", [0, 1])
def test_boxes_may_leave_the_picture(count):
    image = np.zeros((20, 30, 3), dtype=np.uint8)
    assert appearance_vectors(image, np.array([[-50.0, -50, 100, 100]])[:count]).shape == (count, 1024)
