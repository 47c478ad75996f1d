"""The set loss matches and weighs as the original of POTR."""

import json

import numpy as np
import parity
import pytest
import torch

from posetrack.models.networks.deit import DeiT
from posetrack.models.networks.potr import POTR
from posetrack.models.training.matcher import match
from posetrack.models.training.set_loss import set_loss, set_losses


@pytest.fixture(scope="module")
def fixture():
    meta = json.loads((parity.FOLDER / "prepost.json").read_text())
    with np.load(parity.FOLDER / "prepost.npz") as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files if key.startswith("potr_")}
    aux = [
        {"pred_logits": a, "pred_boxes": b}
        for a, b in zip(arrays["potr_aux_logits"], arrays["potr_aux_boxes"], strict=True)
    ]
    outputs = {"pred_logits": arrays["potr_logits"], "pred_boxes": arrays["potr_boxes"], "aux_outputs": aux}
    targets, known = torch.full((2, 17, 2), torch.nan), torch.zeros(2, 17)
    for i, target in enumerate(meta["potr_targets"]):
        targets[i, target["labels"]] = torch.tensor(target["boxes"])
        known[i, target["labels"]] = 1
    return meta, outputs, targets, known


def test_the_matching_is_the_originals(fixture):
    meta, outputs, targets, known = fixture
    sample, query, keypoint = match(outputs["pred_logits"], outputs["pred_boxes"], targets, known > 0)
    for i, (queries, rows) in enumerate(meta["potr_match"]):
        labels = meta["potr_targets"][i]["labels"]
        assert query[sample == i].tolist() == queries
        assert keypoint[sample == i].tolist() == [labels[row] for row in rows]


def test_the_losses_of_all_layers_are_the_originals(fixture):
    meta, outputs, targets, known = fixture
    classification, location = set_losses(outputs, targets, known)
    names = ["_0", "_1", "_2", "_3", "_4", ""]
    expected = meta["potr_losses"]
    assert classification.tolist() == pytest.approx([expected[f"loss_ce{n}"] for n in names], rel=1e-5)
    assert location.tolist() == pytest.approx([expected[f"loss_bbox{n}"] for n in names], rel=1e-5)
    assert set_loss(outputs, targets, known).item() == pytest.approx(meta["potr_total_loss"], rel=1e-5)


def test_the_matching_of_a_batch_is_that_of_its_samples(fixture):
    _, outputs, targets, known = fixture
    arguments = outputs["pred_logits"], outputs["pred_boxes"], targets, known > 0
    sample, *whole = match(*arguments)
    for i in range(2):
        _, *single = match(*(argument[i : i + 1] for argument in arguments))
        assert [index.tolist() for index in single] == [index[sample == i].tolist() for index in whole]


def test_without_known_keypoints_only_the_class_loss_remains(fixture):
    _, outputs, targets, _ = fixture
    classification, location = set_losses(outputs, targets, torch.zeros(2, 17))
    assert (classification > 0).all()
    assert (location == 0).all()


def test_a_count_of_all_processes_scales_the_location_loss(fixture):
    _, outputs, targets, known = fixture
    own, shared = (set_losses(outputs, targets, known, count=n)[1] for n in (None, 2 * known.sum()))
    torch.testing.assert_close(own, 2 * shared)


@pytest.mark.slow
def test_a_potr_learns_two_people():
    torch.manual_seed(0)
    network = POTR(
        encoder=DeiT(patch=16, input_size=(64, 48), dim=64, depth=1),
        hidden=64, dim=64, depth=2, num_queries=12, num_keypoints=5,
    )  # fmt: skip
    images, targets, known = torch.randn(2, 3, 64, 48), torch.rand(2, 5, 2), torch.ones(2, 5)
    known[1, 3] = 0
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    values = []
    for _ in range(150):
        value = set_loss(network(images), targets, known)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        values.append(value.item())
    assert min(values[-5:]) < 0.1 * values[0]
