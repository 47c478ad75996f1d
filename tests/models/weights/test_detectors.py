import io
import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from posetrack.errors import ModelError, OutputError
from posetrack.models.networks import yolo
from posetrack.models.networks.ultralytics_import import load_tasks
from posetrack.models.weights import detectors

ROOT = Path(__file__).parents[3]
TEACHER = ROOT.parent / "shared" / "weights" / "yolov8n.pt"

needs_teacher = pytest.mark.skipif(not TEACHER.is_file(), reason="needs shared/weights/ beside the checkout")


pytestmark = pytest.mark.usefixtures("detector_cache")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return yolo.build().eval()


@pytest.fixture
def saved(network, tmp_path):
    path = tmp_path / "tiny.safetensors"
    detectors.save(network, path, size=256)
    return path


def test_a_saved_network_comes_back_in_full_precision_and_nearly_equal(network, saved):
    loaded = detectors.load(saved)
    assert (loaded.names, loaded.size, loaded.training, loaded.is_fused()) == ({0: "person"}, 256, False, True)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in loaded.parameters())
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(loaded(images)[0], network(images)[0], rtol=1e-2, atol=1e-2)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a file as Ultralytics publishes them: batch norms with statistics, people the third class."""
    tasks = load_tasks()
    torch.manual_seed(1)
    model = tasks.DetectionModel("yolov8n.yaml", nc=80, verbose=False).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    for branch in model.model[-1].cv3:
        branch[-1].weight.data.normal_()
    model.names = {row: "person" if row == 2 else f"thing {row}" for row in range(80)}
    path = tmp_path_factory.mktemp("published") / "yolov8n.pt"
    torch.save({"model": model}, path)
    return path


def test_a_published_network_is_reduced_to_the_class_person(published, tmp_path):
    detectors.save(detectors.load_person_only(published), tmp_path / "people.safetensors")
    people, all_classes = detectors.load(tmp_path / "people.safetensors"), detectors.load(published)
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        ours, theirs = people(images)[0], all_classes(images)[0]
    assert ours.shape == (1, 5, 126)
    torch.testing.assert_close(ours[:, :4], theirs[:, :4], rtol=1e-2, atol=0.1)
    torch.testing.assert_close(ours[:, 4], theirs[:, 6], rtol=1e-2, atol=1e-2)


def test_the_distances_of_a_box_side_are_exact_even_if_the_published_file_has_rounded_ones(published, tmp_path):
    file = torch.load(published, weights_only=False)
    file["model"].model[-1].dfl.conv.weight.data += 0.05
    torch.save(file, tmp_path / "rounded.pt")
    distances = detectors.load_person_only(tmp_path / "rounded.pt").model[-1].dfl.conv.weight.flatten()
    assert distances.tolist() == list(range(16))


@pytest.mark.parametrize(
    ("kind", "config", "names"),
    [
        ("DetectionModel", "yolo11n.yaml", {0: "person"}),
        ("DetectionModel", "yolov8n.yaml", {0: "cat", 1: "dog"}),
        ("PoseModel", "yolov8n-pose.yaml", {0: "person"}),
    ],
)
def test_another_published_network_is_refused(tmp_path, kind, config, names):
    tasks = load_tasks()
    model = getattr(tasks, kind)(config, nc=len(names), verbose=False)
    model.names = names
    torch.save({"model": model}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=rf"not a YOLOv8 that detects people, but a {kind} of {len(names)} classes"):
        detectors.load_person_only(tmp_path / "other.pt")


def test_save_into_a_missing_folder(network, tmp_path):
    with pytest.raises(OutputError, match="Check the folder"):
        detectors.save(network, tmp_path / "nowhere" / "a.safetensors")


def truncated(path):
    path.write_bytes(path.read_bytes()[:5000])


class Attack:
    def __reduce__(self):
        return os.system, ("echo hacked",)


def archive(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def png():
    return cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text.pt", b"hello, I am no network", "not an Ultralytics weights file"),
        ("empty.pt", b"", "not an Ultralytics weights file"),
        ("image.pt", png(), "not an Ultralytics weights file"),
        ("attack.pt", archive({"model": Attack()}), r"calls \w+\.system, which was refused"),
        ("pickle.pt", pickle.dumps({"model": Attack()}), r"calls \w+\.system, which was refused"),
        ("arrays.pt", archive({"model": {"weight": torch.zeros(3)}}), "contains no Ultralytics network"),
        ("list.pt", archive([1, 2, 3]), "contains no Ultralytics network"),
        ("plain.pt", archive({"model": nn.Sequential(nn.Linear(2, 2))}), "contains no Ultralytics network"),
        ("text.safetensors", b"hello, I am no network", "not a complete safetensors file"),
        ("network.onnx", b"", r"give a \.pt or \.safetensors file"),
    ],
)
def test_a_file_that_is_no_detector_is_refused(tmp_path, capfd, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=sentence) as caught:
        detectors.load(tmp_path / name)
    assert name in str(caught.value)
    assert capfd.readouterr() == ("", ""), "nothing ran, nothing is printed"


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="there is no such file"):
        detectors.load(tmp_path / "missing.pt")


def test_a_truncated_file(saved):
    truncated(saved)
    with pytest.raises(ModelError, match="not a complete safetensors file"):
        detectors.load(saved)


@needs_teacher
def test_a_truncated_checkpoint(tmp_path):
    (tmp_path / "yolov8n.pt").write_bytes(TEACHER.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="incomplete"):
        detectors.load(tmp_path / "yolov8n.pt")


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (None, "names no architecture"),
        ({"architecture": "vitpose"}, "names vitpose, not one of yolov8n"),
        ({"architecture": "yolov8n"}, "disagree"),
        ({"architecture": "yolov8s", "size": "320"}, "disagree"),
    ],
)
def test_arrays_of_another_network(network, tmp_path, metadata, sentence):
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, tmp_path / "x.safetensors", metadata)
    with pytest.raises(ModelError, match=sentence):
        detectors.load(tmp_path / "x.safetensors")


def test_a_classifier_predicts_no_boxes(tmp_path):
    tasks = load_tasks()
    torch.save({"model": tasks.ClassificationModel("yolo11n-cls.yaml", verbose=False)}, tmp_path / "cls.pt")
    with pytest.raises(ModelError, match="ClassificationModel predicts no boxes"):
        detectors.load(tmp_path / "cls.pt")


@pytest.mark.parametrize("name", ["yolov5n.pt", "it's mine.pt"])
def test_a_checkpoint_is_read_from_its_path_and_never_downloaded(tmp_path, monkeypatch, name):
    tasks = load_tasks()
    torch.save({"model": tasks.DetectionModel("yolo11n.yaml", nc=1, verbose=False).half()}, tmp_path / name)
    monkeypatch.setattr("requests.get", lambda *_, **__: pytest.fail("went online"))
    model = detectors.load(tmp_path / name)
    assert (model.size, next(model.parameters()).dtype) == (640, torch.float32)


@needs_teacher
def test_a_published_checkpoint_loads():
    model = detectors.load(TEACHER)
    assert (model.names[0], model.size, model.end2end, model.is_fused()) == ("person", 640, False, True)
