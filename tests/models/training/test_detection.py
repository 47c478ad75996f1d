"""The person detector's task: boxes stay on the people, and a small network learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from stick_people import draw

from posetrack.errors import UsageError
from posetrack.models.networks import yolo
from posetrack.models.networks.ultralytics_import import load_tasks
from posetrack.models.training import data, recipe, recipe_file
from posetrack.models.training.detection import DetectionTask, Mosaics
from posetrack.models.training.loop import fit
from posetrack.models.weights import detectors

OVERRIDES = [
    "network.input_size=[96, 96]",
    "network.pretrained=",
    "batch=4",
    "epochs=8",
    "precision=32-true",
    "data.workers=0",
    "ema=0.0",
]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    draw(root)
    return data.read(root, split="train")[0]


def test_boxes_stay_on_the_people_through_the_mosaic(people):
    mosaics = Mosaics(people, size=96, augmentation=recipe_file.read("bundled-detector").augment)
    samples = [mosaics[epoch, i] for i in range(8) for epoch in range(2)]
    for image, boxes in samples:
        assert image.shape == (96, 96, 3)
        assert (boxes[:, :2] >= -1e-6).all()
        assert (boxes[:, 2:] <= 96 + 1e-6).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
    batch = DetectionTask.collate(samples)
    assert len(batch["bboxes"]) == len(batch["batch_idx"]) == sum(len(boxes) for _, boxes in samples) > 12
    np.testing.assert_array_equal(mosaics[1, 3][0], mosaics[1, 3][0])


def test_validation_uses_whole_images_whose_boxes_map_back(people):
    mosaics = Mosaics(people, size=96)
    _, boxes = mosaics[0, 2]
    scale, shift = mosaics.placed(2)
    np.testing.assert_allclose((boxes - np.tile(shift, 2)) / scale, people.boxes[2:3], atol=1e-3)


@pytest.mark.slow
def test_the_detector_learns_a_little_and_its_weights_load(people, tmp_path):
    training = recipe_file.read("bundled-detector", OVERRIDES)
    training = replace(training, optim=replace(training.optim, lr=3e-4), schedule=recipe.Schedule())
    torch.manual_seed(0)
    task = DetectionTask(people, people, training, network=yolo.build())
    before = task.validate(task.network.eval(), torch.device("cpu"))["loss"]
    figures = fit(task, training, out=tmp_path, fabric=Fabric(accelerator="cpu", devices=1))
    assert figures["loss"] < 0.8 * before
    assert set(figures) == {"loss", "AP50", "AP", "AP75", "AR"}
    loaded = detectors.load(tmp_path / "model.safetensors")
    assert loaded.size == 96
    assert task.read_weights(tmp_path / "model.safetensors").keys() == task.network.state_dict().keys()


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("network.input_size=[96, 128]", "with square input, not yolov8n on 96x128"),
        ("network.variant=yolo11n", "yolov8x with square input, not yolo11n"),
    ],
)
def test_another_detector_is_refused(people, override, sentence):
    with pytest.raises(UsageError, match=sentence):
        DetectionTask(people, people, recipe_file.read("bundled-detector", [override]))


def test_it_begins_from_a_published_file_of_the_same_size(people, tmp_path):
    torch.manual_seed(2)
    published = load_tasks().DetectionModel("yolov8n.yaml", nc=80, verbose=False)
    published.names = {row: "person" if row == 1 else f"thing {row}" for row in range(80)}
    torch.save({"model": published}, tmp_path / "yolov8n.pt")
    overrides = [*OVERRIDES, f"network.pretrained={tmp_path / 'yolov8n.pt'}"]
    task = DetectionTask(people, people, recipe_file.read("bundled-detector", overrides))
    row = published.model[-1].cv3[0][-1].bias[1]
    assert task.network.model[-1].cv3[0][-1].bias.item() == pytest.approx(row.item())
    with pytest.raises(UsageError, match="is a yolov8n, not a yolov8s"):
        DetectionTask(people, people, recipe_file.read("bundled-detector", [*overrides, "network.variant=yolov8s"]))


def test_the_canvas_is_padded_to_whole_strides_as_when_it_runs(people):
    image, _ = Mosaics(people, size=80)[0, 0]
    assert image.shape == (96, 96, 3)
    assert Mosaics(people, size=80).placed(0)[0] == pytest.approx(80 / 120)
