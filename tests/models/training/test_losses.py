"""The losses are those of the originals, and a network falls for each of them."""

import json

import parity
import pytest
import torch

from posetrack.models.geometry.heatmap import encode
from posetrack.models.training.losses import heatmap_mse, location_cross_entropy


@pytest.mark.parametrize(("name", "factor"), [("mm", 1.0), ("transpose", 0.5)])
def test_the_mean_squared_errors_are_the_originals(name, factor):
    expected = json.loads((parity.FOLDER / "train_misc.json").read_text())["losses"][name]
    shape = (4, 17, 64, 48)
    out = torch.from_numpy(parity.fill.make_input("loss_out", shape)) * 0.1
    target = torch.from_numpy(parity.fill.make_input("loss_tgt", shape)).abs() * 0.1
    weights = torch.from_numpy(parity.fill.make_input("loss_w", (4, 17, 1)))[..., 0] > -0.5
    assert heatmap_mse(out, target, weights.float(), factor=factor).item() == pytest.approx(expected, rel=1e-6)


def test_a_keypoint_without_weight_changes_no_squared_error():
    out, target = torch.randn(2, 3, 8, 6), torch.randn(2, 3, 8, 6)
    weights = torch.tensor([[1.0, 0.0, 1.0]]).expand(2, -1)
    changed = out.clone()
    changed[:, 1] += 100
    assert heatmap_mse(out, target, weights) == heatmap_mse(changed, target, weights)


def test_the_cross_entropy_is_least_at_the_gaussian_itself():
    points = torch.tensor([[[3.3, 4.6]]])
    maps = torch.from_numpy(encode(points.numpy(), size=(12, 9), sigma=1.5))
    right = location_cross_entropy(maps.clamp(min=1e-30).log(), points, torch.ones(1, 1), sigma=1.5)
    for _ in range(5):
        off = maps.clamp(min=1e-30).log() + 0.1 * torch.randn(1, 1, 12, 9)
        assert location_cross_entropy(off, points, torch.ones(1, 1), sigma=1.5) > right


def test_a_keypoint_outside_of_the_map_or_without_weight_has_no_place():
    logits = torch.randn(1, 2, 8, 6)
    points = torch.tensor([[[-3.0, 2.0], [2.0, 2.0]]])
    assert location_cross_entropy(logits, points, torch.tensor([[1.0, 0.0]]), sigma=2.0) == 0


def test_both_losses_can_be_learnt():
    torch.manual_seed(0)
    points = torch.tensor([[[2.0, 3.0], [7.5, 9.0]], [[4.2, 1.0], [5.0, 11.0]]])
    target = torch.from_numpy(encode(points.numpy(), size=(16, 12), sigma=1.0))
    floor = location_cross_entropy(target.clamp(min=1e-30).log(), points, torch.ones(2, 2), sigma=1.0).item()
    losses = {
        "mse": lambda maps: heatmap_mse(maps, target, torch.ones(2, 2)),
        "cross-entropy": lambda maps: location_cross_entropy(maps, points, torch.ones(2, 2), sigma=1.0) - floor,
    }
    for loss in losses.values():
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 2 * 16 * 12))
        images = torch.randn(2, 3, 4, 2)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
        values = []
        for _ in range(150):
            value = loss(network(images).view(2, 2, 16, 12))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            values.append(value.item())
        assert values[-1] < 0.1 * values[0]
