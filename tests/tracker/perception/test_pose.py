import numpy as np

from posetrack.models.geometry import heatmap
from posetrack.models.weights.card import PoseCard
from posetrack.tracker.perception import pose
from posetrack.tracker.perception.pose import TopDownPoseEstimator
from posetrack.tracker.types import Detections, Frame

RNG = np.random.default_rng(0)


class Bright:
    """A network whose keypoints all lie where a crop is brightest."""

    name, device, precision, reason = "fake", "cpu", "fp32", "a test"

    def __init__(self):
        self.batches = []

    def __call__(self, images):
        self.batches.append(len(images))
        places = images.sum(1)[:, ::4, ::4].reshape(len(images), -1).argmax(1)
        points = np.stack(np.divmod(places, 16)[::-1], axis=-1)[:, None].repeat(17, axis=1)
        return heatmap.encode(points, size=(16, 16), sigma=1.0)


def frame(index, height, width):
    return Frame(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8), index, 0.0)


def test_people_of_several_frames_in_one_batch_are_those_of_each_frame():
    network = Bright()
    estimator = TopDownPoseEstimator(network, PoseCard((64, 64), "udp"))
    seen = [
        (frame(0, 90, 120), Detections([[10, 10, 60, 80], [50, 5, 100, 70]], [0.9, 0.8])),
        (frame(1, 50, 60), Detections.empty()),
        (frame(2, 200, 100), Detections([[20, 30, 80, 190]], [0.7])),
    ]
    together = estimator.of_frames(seen)
    assert network.batches == [3]
    for poses, one in zip(together, seen, strict=True):
        alone = estimator(*one)
        assert len(poses) == len(alone) == len(one[1])
        for name in ("boxes", "keypoints", "scores", "box_scores", "features") if len(alone) else ():
            np.testing.assert_array_equal(getattr(poses, name), getattr(alone, name))


def test_a_crowd_is_estimated_in_bounded_batches(monkeypatch):
    seen = [
        (frame(0, 90, 120), Detections([[i, 10, i + 40, 80] for i in range(7)], np.linspace(0.9, 0.5, 7))),
        (frame(1, 90, 120), Detections([[i, 20, i + 30, 80] for i in range(4)], np.linspace(0.9, 0.5, 4))),
    ]
    whole = TopDownPoseEstimator(Bright(), PoseCard((64, 64), "udp")).of_frames(seen)
    monkeypatch.setattr(pose, "MOST_CROPS", 5)
    network = Bright()
    parts = TopDownPoseEstimator(network, PoseCard((64, 64), "udp")).of_frames(seen)
    assert network.batches == [5, 5, 1]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_no_people_need_no_estimation():
    network = Bright()
    estimator = TopDownPoseEstimator(network, PoseCard((64, 64), "udp"))
    assert estimator.of_frames([]) == []
    assert [len(poses) for poses in estimator.of_frames([(frame(0, 9, 9), Detections.empty())] * 2)] == [0, 0]
    assert network.batches == []
