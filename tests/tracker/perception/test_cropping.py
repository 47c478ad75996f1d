"""A pose network gives the same people from crops that torch cuts as from those that OpenCV cuts."""

import copy

import numpy as np
import pytest

from posetrack.models.geometry.processing import PROCESSINGS
from posetrack.models.weights.card import PoseCard
from posetrack.tracker.perception import pose
from posetrack.tracker.perception.cropping import ProcessorCropper, cropper_for
from posetrack.tracker.perception.device_cropping import DeviceCropper
from posetrack.tracker.perception.pose import TopDownPoseEstimator, load_pose_estimator
from posetrack.tracker.types import Detections, Frame
from posetrack.tracker.video.images.image import read_image
from posetrack.tracker.video.sample import PEOPLE, PHOTOS


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "flip"])
def pair(request):
    """Return the bundled estimator with crops by OpenCV and by torch."""
    host = load_pose_estimator(device="cpu", runtime="torch", flip=request.param)
    device = copy.copy(host)
    device.cropper = DeviceCropper("cpu", host.processing, host.input_size)
    return host, device


@pytest.fixture(scope="module")
def frame():
    return Frame(read_image(PHOTOS / "bus.jpg"), 0, 0.0)


def crowd(count):
    boxes = np.array([PEOPLE[i % len(PEOPLE)] for i in range(count)], np.float64)
    return Detections(boxes + np.linspace(0, 10, count)[:, None], np.ones(count))


def test_keypoints_are_the_same(pair, frame):
    host, device = (estimator(frame, crowd(3)) for estimator in pair)
    distances = np.linalg.norm(host.keypoints - device.keypoints, axis=2)
    assert np.median(distances) < 0.5  # pixels, of people 500 pixels tall
    seen = host.scores > 0.5
    assert seen.mean() > 0.7
    assert distances[seen].max() < 5
    np.testing.assert_allclose(host.scores, device.scores, atol=0.05)


def test_people_partly_outside_and_images_in_any_layout(pair, frame):
    people = Detections([[-300.0, 200, 100, 900], [700, 900, 900, 1500]], [1, 1])
    views = [frame.image, np.asfortranarray(frame.image), frame.image[:, ::-1][:, ::-1], frame.image.copy()]
    views[3].setflags(write=False)
    poses = [pair[1](Frame(image, 0, 0.0), people) for image in views]
    assert np.isfinite(poses[0].keypoints).any()
    for other in poses[1:]:
        np.testing.assert_allclose(other.keypoints, poses[0].keypoints, atol=1e-3)


def test_no_people_need_no_network(pair, frame):
    def fails(images):
        raise AssertionError(images)

    device = copy.copy(pair[1])
    device.network = fails
    found = device.of_frames([(frame, Detections.empty())] * 2)
    assert [len(poses) for poses in found] == [0, 0]


def test_many_people_of_several_frames_pass_in_bounded_batches(pair, frame, monkeypatch):
    monkeypatch.setattr(pose, "MOST_CROPS", 4)
    other = Frame(read_image(PHOTOS / "zidane.jpg"), 1, 0.1)
    batch = [(frame, crowd(5)), (other, Detections.empty()), (other, Detections([[100.0, 40, 700, 720]], [0.9]))]
    device, sizes, uploads = copy.copy(pair[1]), [], []
    network, upload = device.network, device.cropper.upload

    def counted(images):
        sizes.append(len(images))
        return network(images)

    device.network = counted
    monkeypatch.setattr(device.cropper, "upload", lambda image: uploads.append(image) or upload(image))
    host, ours = pair[0].of_frames(batch), device.of_frames(batch)
    assert [len(poses) for poses in ours] == [5, 0, 1]
    assert set(sizes) == {4, 2}
    assert len(uploads) == 2  # each frame with people once
    for one, two in zip(host, ours, strict=True):
        certain = one.scores > 0.5
        np.testing.assert_allclose(one.keypoints[certain], two.keypoints[certain], atol=5)


class Network:
    precision, reason, streams = "fp32", "", 1

    def __init__(self, name, device):
        self.name, self.device = name, device

    def __call__(self, images):
        raise AssertionError(images)


@pytest.mark.parametrize(
    ("name", "device"), [("torch", "cpu (2 threads)"), ("onnxruntime", "cuda:0"), ("openvino", "cpu")]
)
def test_a_network_that_takes_arrays_gets_crops_of_the_processor(name, device):
    estimator = TopDownPoseEstimator(Network(name, device), PoseCard((64, 48), "udp"))
    assert isinstance(estimator.cropper, ProcessorCropper)


@pytest.mark.gpu
def test_a_torch_network_on_a_gpu_gets_crops_of_its_device():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device")
    cropper = cropper_for(Network("torch", "cuda:0 (a GPU)"), PROCESSINGS["udp"], (64, 48))
    assert cropper.buffer(2).device.type == "cuda"
