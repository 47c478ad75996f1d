"""Parameter groups and schedules are those of the published recipes."""

import json

import parity
import pytest
import torch

from posetrack.models.networks.deit import DeiT
from posetrack.models.networks.potr import POTR
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.training import optim


def test_the_groups_of_vitpose_are_the_originals():
    expected = json.loads((parity.FOLDER / "train_misc.json").read_text())["vitpose_s_optim_groups"]
    with torch.device("meta"):
        network = ViTPose(dim=384, depth=12, num_heads=12)
    found = {}
    for group in optim.layer_decay(network, lr=5e-4, weight_decay=0.1, rate=0.8):
        key = (round(group["lr"], 12), group["weight_decay"])
        found[key] = sorted(name for name, _ in group["params"])
    assert len(expected) == len(found)
    for group in expected.values():
        assert found[round(group["lr"], 12), group["wd"]] == sorted(group["names"])


def potr(as_backbone):
    encoder = DeiT(patch=16, input_size=(64, 48), dim=64, depth=1)
    return POTR(encoder=encoder, hidden=64, dim=64, depth=1, as_backbone=as_backbone)


@pytest.mark.parametrize("as_backbone", [False, True])
def test_the_encoder_of_potr_learns_slowly(as_backbone):
    fast, slow = optim.slow_encoder(potr(as_backbone), lr=1e-4, weight_decay=1e-4, encoder_lr=1e-5)
    assert (fast["lr"], slow["lr"]) == (1e-4, 1e-5)
    slow_parts = {name.rsplit(".")[0] + "." + name.split(".")[1] for name, _ in slow["params"]}
    if as_backbone:
        assert slow_parts == {"backbone.body"}
        assert any("transformer.encoder." in name for name, _ in fast["params"])
    else:
        assert slow_parts == {"transformer.encoder", "transformer.pos_encoder"}


@pytest.mark.parametrize(
    "groups",
    [
        lambda network: optim.single_group(network, lr=1e-4),
        lambda network: optim.matrix_decay(network, lr=1e-3, weight_decay=0.05),
        lambda network: optim.slow_encoder(network, lr=1e-4, weight_decay=1e-4, encoder_lr=1e-5),
        lambda network: optim.layer_decay(network, lr=5e-4, weight_decay=0.1, rate=0.8),
    ],
    ids=["single_group", "matrix_decay", "slow_encoder", "layer_decay"],
)
def test_every_parameter_is_in_one_group_and_the_optimiser_takes_them(groups):
    network = ViTPose(dim=24, depth=2, num_heads=2, input_size=(64, 48))
    network.keypoint_head.final_layer.bias.requires_grad_(False)
    optimizer = torch.optim.AdamW(groups(network))
    names = [name for group in optimizer.param_groups for name in group["param_names"]]
    assert sorted(names) == sorted(name for name, p in network.named_parameters() if p.requires_grad)


def test_vitpose_warms_up_and_falls_at_two_epochs():
    factor = optim.schedule("milestones", at=[170, 200], steps_per_epoch=1000, warmup=500, warmup_start=0.001)
    assert factor(0) == pytest.approx(0.001)
    assert factor(250) == pytest.approx(1 - (1 - 250 / 500) * (1 - 0.001))  # mmcv's formula
    assert factor(500) == factor(169_999) == 1
    assert factor(170_000) == pytest.approx(0.1)
    assert factor(209_999) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("kind", "options", "torch_schedule"),
    [
        ("milestones", {"at": [50]}, lambda o: torch.optim.lr_scheduler.StepLR(o, 50)),
        ("cosine", {"epochs": 80, "floor": 0.1}, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 80, 0.1)),
    ],
)
def test_schedules_equal_those_of_torch(kind, options, torch_schedule):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    reference, factor = torch_schedule(optimizer), optim.schedule(kind, **options, steps_per_epoch=3)
    for epoch in range(80):
        assert [factor(3 * epoch + i) for i in range(3)] == pytest.approx([optimizer.param_groups[0]["lr"]] * 3)
        optimizer.step()
        reference.step()


def test_the_plateau_warms_up_stays_and_decays_to_zero():
    factor = optim.schedule("plateau", epochs=100, decay=50, warmup=10)
    assert [factor(step) for step in (0, 9, 50, 75, 99, 100)] == pytest.approx([0.1, 1, 1, 0.5, 0.02, 0])


def test_an_unknown_schedule_is_refused_with_the_names():
    with pytest.raises(ValueError, match="cosine"):
        optim.schedule("cosinus")
