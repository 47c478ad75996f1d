"""The small backbone: its shapes, the published layout of its weights, and what stays frozen."""

import pytest
import torch
from torch import nn

from posetrack.models.crop import MEAN, STD
from posetrack.models.efficientnet import STAGES, EfficientNetLite, from_published


@pytest.fixture(scope="module")
def published():
    """Weights in the published layout, with random values."""
    torch.manual_seed(0)
    state = {"_conv_stem.weight": torch.randn(32, 3, 3, 3) * 0.2} | norm("_bn0", 32)
    c, block = 32, 0
    for kernel, _, expansion, channels, blocks in STAGES:
        for _ in range(blocks):
            wide, prefix = c * expansion, f"_blocks.{block}"
            if expansion > 1:
                state[f"{prefix}._expand_conv.weight"] = torch.randn(wide, c, 1, 1) * c**-0.5
                state |= norm(f"{prefix}._bn0", wide)
            state[f"{prefix}._depthwise_conv.weight"] = torch.randn(wide, 1, kernel, kernel) / kernel
            state |= norm(f"{prefix}._bn1", wide)
            state[f"{prefix}._project_conv.weight"] = torch.randn(channels, wide, 1, 1) * wide**-0.5
            state |= norm(f"{prefix}._bn2", channels)
            c, block = channels, block + 1
    return state


def norm(prefix, count):
    values = {"weight": torch.rand(count) + 0.5, "bias": torch.randn(count), "running_mean": torch.randn(count)}
    return {f"{prefix}.{key}": value for key, value in (values | {"running_var": torch.rand(count) + 0.5}).items()}


def loaded(published, mean, std):
    network = EfficientNetLite()
    network.load_state_dict(from_published(published, mean=mean, std=std))
    return network.eval()


def test_maps_come_at_four_strides_and_sides_are_rounded_up():
    maps = EfficientNetLite().eval()(torch.zeros(1, 3, 96, 80))
    assert [tuple(m.shape[1:]) for m in maps] == [(24, 24, 20), (40, 12, 10), (112, 6, 5), (192, 3, 3)]


def test_the_published_widths_have_2_35_million_parameters():
    assert sum(p.numel() for p in EfficientNetLite().parameters()) == 2_353_408


@torch.no_grad()
def test_another_normalisation_gives_the_same_maps(published):
    pixels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    exact = loaded(published, torch.full((3,), 127 / 255), torch.full((3,), 128 / 255))  # as published
    ours = loaded(published, torch.from_numpy(MEAN), torch.from_numpy(STD))
    mean, std = torch.from_numpy(MEAN).view(3, 1, 1), torch.from_numpy(STD).view(3, 1, 1)
    wanted = exact.stem((pixels - 127) / 128)
    found = ours.stem((pixels / 255 - mean) / std)
    torch.testing.assert_close(found[:, :, 1:-1, 1:-1], wanted[:, :, 1:-1, 1:-1], rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_folding_changes_no_map(published):
    network = loaded(published, torch.zeros(3), torch.ones(3))
    images = torch.rand(1, 3, 64, 64)
    before = network(images)
    network.fold()
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    for a, b in zip(network(images), before, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))


def test_frozen_stages_neither_learn_nor_drift():
    network = EfficientNetLite(0.25)
    network.freeze(2)
    network.train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    sum(m.square().mean() for m in network(torch.randn(4, 3, 64, 64))).backward()
    optimizer.step()
    for key, value in network.state_dict().items():
        still = key.startswith(("stem.", "stages.0.", "stages.1."))
        assert torch.equal(value, before[key]) == still, key
