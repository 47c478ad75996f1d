"""A view finds the annotated people, one at a time or in batches."""

import numpy as np
import pytest

from posetrack.models.weights.card import SingleStageCard
from posetrack.tracker.perception import views
from posetrack.tracker.perception.single_stage import SingleStagePoseEstimator

SIZE = 96  # pixels of the input
BOXES = np.array([[20, 30, 60, 110], [100, 10, 180, 90], [5, 5, 25, 45]], float)


class Blobs:
    """A single-stage network that finds one person in each image: its box is the bright part, its keypoints too."""

    name, precision, reason, streams = "blobs", "fp32", "", 1

    def __init__(self, device):
        self.device, self.batches = device, []

    def __call__(self, images):
        self.batches.append(len(images))
        return np.stack([self.person(image) for image in images])[:, :, None]

    @staticmethod
    def person(image):
        y, x = np.nonzero(image[0] > 0.9)
        if len(x) == 0:
            return np.zeros(56, np.float32)
        (left, right), (top, bottom) = ((v.min(), v.max() + 1) for v in (x, y))
        box = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top, 0.8]
        return np.array([*box, *(left, top, 0.5) * 17], np.float32)


def classify(device, boxes):
    network = Blobs(device)
    view = views.single_stage_view(SingleStagePoseEstimator(network, SingleStageCard(size=SIZE), conf=0.05))
    image = np.zeros((120, 200, 3), np.uint8)
    for left, top, right, bottom in BOXES[:2].astype(int):  # the third box is empty
        image[top:bottom, left:right] = 255
    return view(image, boxes), network.batches


@pytest.mark.parametrize(("device", "batches"), [("cpu (2 threads)", [1, 1, 1]), ("cuda:0", [3])])
def test_labels_come_back_to_the_image(device, batches):
    labels, asked = classify(device, BOXES)
    assert asked == batches
    assert labels.shape == (3, 17, 3)
    np.testing.assert_allclose(labels[:2, :, :2], np.repeat(BOXES[:2, None, :2], 17, 1), atol=1.5)
    np.testing.assert_allclose(labels[:2, :, 2], 0.5)
    assert not labels[2].any()


def test_many_people_take_several_batches(monkeypatch):
    monkeypatch.setattr(views, "MOST_CROPS", 2)
    labels, asked = classify("cuda:0", BOXES)
    assert asked == [2, 1]
    np.testing.assert_array_equal(labels, classify("cpu", BOXES)[0])


def test_nobody():
    labels, asked = classify("cuda:0", BOXES[:0])
    assert labels.shape == (0, 17, 3)
    assert asked == []
