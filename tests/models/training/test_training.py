"""The training of the bundled networks, on a few drawn people."""

import json

import cv2
import numpy as np
import pytest
import torch

from posetrack.models.convvit import ConvViT
from posetrack.models.keypoints import COCO
from posetrack.models.training import detector, pose
from posetrack.models.training.dataset import CocoPeople
from posetrack.models.training.loop import Schedule, fit

SIZE = (64, 48)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Eight pictures, each with one person of 17 coloured dots."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("data")
    (root / "images").mkdir()
    images, annotations = [], []
    for i in range(8):
        picture = np.full((120, 100, 3), 60, np.uint8)
        points = rng.uniform([25, 20], [75, 100], (17, 2))
        for k, (x, y) in enumerate(points):
            cv2.circle(picture, (round(x), round(y)), 3, (15 * k, 255 - 15 * k, 128), -1)
        cv2.imwrite(str(root / "images" / f"{i}.png"), picture)
        images.append({"id": i, "file_name": f"{i}.png", "width": 100, "height": 120})
        flat = np.concatenate([points, np.full((17, 1), 2)], axis=1).ravel().tolist()
        box = {"bbox": [20, 15, 60, 90], "keypoints": flat, "num_keypoints": 17}
        annotations.append({"id": i, "image_id": i, "category_id": 1, "iscrowd": 0} | box)
    (root / "annotations.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return CocoPeople(root, cache=root / "cache")


def tiny():
    torch.manual_seed(0)
    return ConvViT(input_size=SIZE, widths=(16, 16, 32), convs=(1, 1), depth=1)


def crops(data, seed=0):
    return pose.batches(data, input_size=SIZE, batch_size=4, seed=seed)


def test_pictures_and_people_are_read(data):
    assert len(data.pictures) == 8
    picture = data.pictures[0]
    assert data.pixels(picture).shape == (120, 100, 3)
    np.testing.assert_allclose(picture.boxes, [[20, 15, 80, 105]])
    assert picture.weights.tolist() == [[1.0] * 17]
    x, y = picture.keypoints[0, 3].round().astype(int)
    assert data.pixels(picture)[y, x].tolist() == [45, 210, 128]


def test_a_missing_picture_is_named(tmp_path):
    (tmp_path / "annotations.json").write_text(
        json.dumps({"images": [{"id": 1, "file_name": "gone.png", "width": 9, "height": 9}], "annotations": []})
    )
    with pytest.raises(ValueError, match=r"gone\.png"):
        CocoPeople(tmp_path, cache=tmp_path / "cache")


def test_the_same_seed_gives_the_same_batches(data):
    for a, b in zip([next(crops(data)) for _ in range(2)], [next(crops(data)) for _ in range(2)], strict=True):
        for key in a:
            torch.testing.assert_close(a[key], b[key])


def test_labels_follow_the_pixels_through_the_augmentation(data, monkeypatch):
    """A dot's colour tells its keypoint, so where the label is, the colour must be, in mirrored crops too."""
    for name in ("random_color", "random_cutout"):
        monkeypatch.setattr(pose.augment, name, lambda image, rng: image)
    batch = next(crops(data))
    pixels = batch["images"].numpy() * pose.crop.STD[:, None, None] + pose.crop.MEAN[:, None, None]  # RGB in [0, 1]
    hits = total = 0
    mirror = {tuple(pair) for pair in COCO.flip_pairs} | {tuple(reversed(pair)) for pair in COCO.flip_pairs}
    for image, points in zip(pixels, batch["keypoints"].numpy(), strict=True):
        for k, (x, y) in enumerate(points.round().astype(int)):
            if not (1 < x < SIZE[1] - 2 and 1 < y < SIZE[0] - 2):
                continue
            seen = round(image[2, y, x] * 17)  # blue is 15 k
            total += 1
            hits += any(abs(seen - j) <= 1 for j in (k, *(b for a, b in mirror if a == k)))
    assert total > 30
    assert hits > 0.7 * total  # dots cover one another


def test_the_loss_falls_and_training_goes_on_from_a_checkpoint(data, tmp_path):
    schedule = Schedule(steps=30, lr=3e-3)
    before = pose.heatmap_loss(tiny(), next(crops(data))).item()
    fit(tiny(), pose.heatmap_loss, crops(data), schedule=schedule, out=tmp_path / "a", report_every=10)
    log = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["loss"] < before
    resumed = fit(
        tiny(), pose.heatmap_loss, crops(data), schedule=schedule, out=tmp_path / "b", resume=tmp_path / "a" / "last.pt"
    )
    assert pose.heatmap_loss(resumed, next(crops(data))).item() < before
    assert torch.load(tmp_path / "b" / "last.pt", weights_only=True)["seen"] == 2 * 30 * 4


def test_resuming_repeats_the_run_that_was_not_interrupted(data, tmp_path):
    def run(out, steps, stream, resume=None):
        fit(tiny(), pose.heatmap_loss, stream, schedule=Schedule(steps=steps), out=out, resume=resume)
        return torch.load(out / "last.pt", weights_only=True)["model"]

    whole = run(tmp_path / "whole", 4, crops(data))
    stream = crops(data)
    run(tmp_path / "half", 2, stream)
    again = run(tmp_path / "again", 2, stream, tmp_path / "half" / "last.pt")
    for key, value in whole.items():
        torch.testing.assert_close(again[key], value)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_batch(data, tmp_path):
    with pytest.raises(FloatingPointError, match="step 0"):
        fit(
            tiny(),
            lambda model, batch: pose.heatmap_loss(model, batch) * torch.nan,
            crops(data),
            schedule=Schedule(steps=3),
            out=tmp_path,
        )
    assert "keypoints" in torch.load(tmp_path / "not-finite.pt", weights_only=True)


def test_a_checkpoint_continues_at_a_higher_resolution(data, tmp_path):
    fit(tiny(), pose.heatmap_loss, crops(data), schedule=Schedule(steps=2), out=tmp_path / "low")
    larger = pose._at_size(tmp_path / "low" / "last.pt", tmp_path / "resumed.pt", (96, 80))
    network = ConvViT(input_size=(96, 80), widths=(16, 16, 32), convs=(1, 1), depth=1)
    stream = pose.batches(data, input_size=(96, 80), batch_size=4, seed=0)
    average = fit(network, pose.heatmap_loss, stream, schedule=Schedule(steps=2), out=tmp_path / "high", resume=larger)
    assert torch.isfinite(average.pos_embed).all()


def test_the_schedule_warms_up_stays_and_decays():
    rates = [Schedule(steps=100, lr=1.0, warmup=10, decay=50).rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[50] == 1.0
    assert rates[99] == pytest.approx(1 / 50)


def test_a_joint_outside_of_the_crop_gives_no_loss():
    batch = {
        "images": torch.zeros(1, 3, *SIZE),
        "keypoints": torch.full((1, 17, 2), -50.0),
        "weights": torch.ones(1, 17),
    }
    assert pose.heatmap_loss(tiny(), batch).item() == 0


def test_boxes_stay_on_the_people_through_the_mosaic(data):
    batch = next(detector.batches(data, size=96, batch_size=8, seed=0))
    assert batch["images"].shape == (8, 3, 96, 96)
    assert 0 <= float(batch["images"].min()) <= float(batch["images"].max()) <= 1
    centers, sizes = batch["bboxes"][:, :2], batch["bboxes"][:, 2:]
    assert len(centers) >= 8
    assert ((centers - sizes / 2) > -1e-3).all()
    assert ((centers + sizes / 2) < 1 + 1e-3).all()


def test_the_detector_learns_a_little(data, tmp_path):
    from posetrack.models import yolo

    torch.manual_seed(0)
    network = yolo.build(width=0.125, depth=0.34)
    stream = detector.batches(data, size=64, batch_size=4, seed=0)
    fit(network, detector.loss, stream, schedule=Schedule(steps=12, lr=2e-3), out=tmp_path, report_every=4)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0]
