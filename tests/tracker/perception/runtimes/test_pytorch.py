"""Networks on a CUDA device: captured graphs, half precision, and the same people as on a processor."""

import numpy as np
import pytest

from posetrack import Frame, load_pipeline
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.pose import load_pose_estimator
from posetrack.tracker.perception.runtimes.pytorch import BATCHES
from posetrack.tracker.video.open import open_source


@pytest.fixture(scope="module", autouse=True)
def _cuda():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device")


pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def frames(walking_clip):
    return list(open_source(walking_clip))


def pair(load, **words):
    return (load(device=device, runtime="torch", precision="fp32", **words) for device in ("cuda", "cpu"))


def test_graphs_answer_batches_of_every_size_as_a_processor_does():
    cuda, cpu = pair(load_pose_estimator)
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 5, BATCHES[-1], BATCHES[-1] + 3, 1):
        crops = rng.normal(size=(count, 3, *cpu.input_size)).astype(np.float32)
        ours, theirs = cuda.network(crops), cpu.network(crops)
        assert ours.shape == theirs.shape
        assert ours == pytest.approx(theirs, abs=0.02 * np.abs(theirs).max())  # TF32


def test_an_answer_is_not_written_over_by_the_next_one():
    cuda, _ = pair(load_pose_estimator)
    first = cuda.network(np.zeros((2, 3, *cuda.input_size), np.float32))
    kept = first.copy()
    cuda.network(np.ones((2, 3, *cuda.input_size), np.float32))
    np.testing.assert_array_equal(first, kept)


def test_a_detector_finds_the_same_boxes_in_images_of_every_size(frames):
    cuda, cpu = pair(load_detector)
    for image in (frames[0].image, frames[0].image[:300], frames[0].image):
        ours, theirs = cuda(Frame(image, 0, 0.0)), cpu(Frame(image, 0, 0.0))
        assert len(ours) == len(theirs) > 0
        assert ours.boxes == pytest.approx(theirs.boxes, abs=1)


def test_auto_takes_the_device_and_finds_the_people(frames):
    cuda = load_pipeline(offline=True)
    assert cuda.estimator.network.device.startswith("cuda")
    assert cuda.estimator.network.precision == "fp16"
    cpu = load_pipeline(device="cpu", runtime="torch", offline=True)
    for frame in frames[:5]:
        ours, theirs = cuda(frame), cpu(frame)
        assert ours.ids.tolist() == theirs.ids.tolist()
        assert ours.poses.boxes == pytest.approx(theirs.poses.boxes, abs=3)
