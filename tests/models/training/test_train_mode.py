"""In train mode the networks drop what the originals drop, and nothing in eval mode."""

import pytest
import torch

from posetrack.models.networks.deit import DeiT
from posetrack.models.networks.potr import POTR
from posetrack.models.networks.resnet import ResNetTokens
from posetrack.models.networks.transpose import TransPose
from posetrack.models.networks.vit import Block
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.networks.xcit import XCiT
from posetrack.models.training import pose, recipe_file
from posetrack.models.weights.variants import ZOO

SIZE = (64, 64)


@pytest.mark.parametrize(("name", "last"), [("vitpose-s", 0.1), ("vitpose-b", 0.3), ("vitpose-plus-l", 0.5)])
def test_the_deeper_a_block_of_vitpose_the_more_often_it_is_left_out(name, last):
    with torch.device("meta"):
        network = ZOO[name].build()
    rates = [block.drop_path for block in network.backbone.blocks]
    assert rates == pytest.approx(torch.linspace(0, last, len(rates)).tolist())


def test_a_branch_is_left_out_per_sample_and_right_on_average():
    torch.manual_seed(0)
    block = Block(8, num_heads=2, drop_path=0.25)
    dropped = block._drop(torch.ones(4000, 3, 8))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (dropped == dropped[:, :1, :1]).all()
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert (block.eval()._drop(torch.ones(9, 3, 8)) == 1).all()


def make(name):
    small = {"dim": 16, "depth": 1, "hidden": 16, "num_queries": 4, "num_keypoints": 3}
    return {
        "vitpose": lambda: ViTPose(dim=24, depth=3, num_heads=2, input_size=SIZE, drop_path=0.5),
        "transpose": lambda: TransPose(dim=16, depth=1, ffn=16, num_heads=2, input_size=SIZE),
        "potr-deit": lambda: POTR(encoder=DeiT(patch=16, input_size=SIZE, dim=64, depth=1), **small),
        "potr-xcit": lambda: POTR(encoder=XCiT(patch=16, input_size=SIZE, dim=32, depth=1, num_heads=4), **small),
        "potr-resnet": lambda: POTR(
            encoder=ResNetTokens(input_size=SIZE, dim=16), positions="learned_nocls", **small
        ),
    }[name]()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "random"),
    [("vitpose", True), ("transpose", True), ("potr-deit", False), ("potr-xcit", False), ("potr-resnet", False)],
)
@torch.no_grad()
def test_only_train_mode_is_random_and_only_where_the_original_is(name, random):
    torch.manual_seed(0)
    network, images = make(name), torch.randn(2, 3, *SIZE)

    def answer():
        result = network(images)
        return result["pred_boxes"] if isinstance(result, dict) else result

    assert torch.equal(answer(), answer()) is not random
    network.eval()
    torch.testing.assert_close(answer(), answer())


def test_transpose_drops_a_tenth_everywhere():
    network = TransPose(dim=16, depth=2, ffn=16, num_heads=2, input_size=SIZE)
    for layer in network.global_encoder.layers:
        assert (layer.self_attn.dropout, layer.dropout.p) == (0.1, 0.1)


def test_heads_begin_near_zero():
    images = torch.randn(2, 3, *SIZE)
    for name in ("vitpose", "transpose"):
        assert make(name)(images).abs().max() < 0.1


@pytest.mark.parametrize(("rate", "last"), [("0", 0.0), ("0.2", 0.2)])
def test_a_recipe_sets_stochastic_depth_also_to_none(rate, last):
    network = pose.build(recipe_file.read("vitpose-s", [f"network.drop_path={rate}"]))
    assert network.backbone.blocks[-1].drop_path == pytest.approx(last)
