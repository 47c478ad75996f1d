import json

import numpy as np
import parity
import pytest
import torch
from torch.nn import functional as F

from posetrack.errors import ModelError
from posetrack.models.networks import transpose
from posetrack.models.networks.transpose import TransPose
from posetrack.models.weights.checkpoint import load_checkpoint
from posetrack.models.weights.variants import ZOO

FIXTURES = ["transpose_r_a3", "transpose_r_a4", "transpose_h_s", "transpose_h_a4"]
PARAMETERS = {  # of the original implementation, with the position table
    "transpose-r-a3": 5_195_345,
    "transpose-r-a4": 5_985_105,
    "transpose-h-s": 8_019_281,
    "transpose-h-a4": 17_306_129,
    "transpose-h-a6": 17_455_697,
}


def keys(fixture):
    return json.loads((parity.FOLDER / f"{fixture}.json").read_text())["keys"]


@pytest.fixture(params=FIXTURES, scope="module")
def run(request):
    """A fixture's name, metadata, network, outputs of both ways through it, and what `reduce` gave."""
    checkpoint, images, meta = parity.load(request.param)
    model = load_checkpoint(checkpoint)
    reduced = []
    handle = model.reduce.register_forward_hook(lambda module, inputs, output: reduced.append(output))
    with torch.inference_mode():
        heatmaps, attentions = model.forward_with_attention(torch.from_numpy(images))
        handle.remove()
        plain = model(torch.from_numpy(images))
    return request.param, meta, model, heatmaps, attentions, plain, reduced[0]


def test_heatmaps_and_attention_are_those_of_the_original(run):
    fixture, meta, model, heatmaps, attentions, plain, reduced = run
    assert heatmaps.dtype == torch.float32
    step = 1 if model.stride == 8 else 4
    rows = torch.stack(attentions)[:, 0, meta["attn_rows"], ::step]
    table = model.pos_embedding[::step, :, :: 4 if model.stride == 8 else 1]
    parity.fill.compare(
        fixture,
        {
            "heatmaps": heatmaps.numpy(),
            "reduce_sub": reduced[:, ::8, ::2, ::2].numpy(),
            "pos_embedding_sub": table.detach().numpy(),
        },
    )
    # Weights of a peaked softmax carry more float32 noise: in float64 the same network is 3e-4 from the fixture.
    parity.fill.compare(fixture, {"attn_rows": rows.numpy()}, tol=1e-3)
    parity.fill.compare(fixture, {"heatmaps": plain.numpy()})


def test_attention_does_not_change_the_heatmaps(run):
    _, _, model, heatmaps, attentions, plain, _ = run
    assert parity.fill.rel_err(plain.numpy(), heatmaps.numpy()) < 1e-5
    tokens = model.grid[0] * model.grid[1]
    assert {tuple(a.shape) for a in attentions} == {(1, tokens, tokens)}
    assert torch.allclose(torch.stack(attentions).sum(-1), torch.ones(()), atol=1e-5)  # rows are distributions


@pytest.mark.parametrize("fixture", FIXTURES)
def test_names_and_shapes_are_those_of_the_original(fixture):
    with torch.device("meta"):
        model = ZOO[fixture.replace("_", "-")].build()
    assert [[key, list(value.shape)] for key, value in model.state_dict().items()] == [
        [key, shape] for key, shape, _ in keys(fixture)
    ]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_those_of_the_original(name):
    with torch.device("meta"):
        model = ZOO[name].build()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]
    assert [key for key, p in model.named_parameters() if not p.requires_grad] == ["pos_embedding"]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_checkpoint_gives_its_own_variant(name):
    with torch.device("meta"):
        built = ZOO[name].build()
        found = transpose.from_state(built.state_dict())
    assert str(found) == str(built)
    assert found.input_size == (256, 192)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_layer_norm_has_the_original_epsilon(name):
    with torch.device("meta"):
        model = ZOO[name].build()
    norms = [module for module in model.modules() if isinstance(module, torch.nn.LayerNorm)]
    assert norms
    assert {norm.eps for norm in norms} == {1e-5}
    batch_norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert {norm.eps for norm in batch_norms} == {1e-5}


@pytest.mark.parametrize("detail", ["no-position", "position-in-values", "x-before-y", "relu-to-gelu", "stride-in-1x1"])
def test_a_wrong_detail_would_be_noticed(detail, monkeypatch):
    """The fixture distinguishes the published network from one that is nearly the same."""
    checkpoint, images, _ = parity.load("transpose_r_a3")
    model = load_checkpoint(checkpoint)
    if detail == "no-position":
        model.pos_embedding = None
    elif detail == "position-in-values":
        original = torch.nn.MultiheadAttention.forward
        monkeypatch.setattr(
            torch.nn.MultiheadAttention, "forward", lambda self, q, k, v, **options: original(self, q, k, k, **options)
        )
    elif detail == "x-before-y":
        y, x = model.pos_embedding.detach().split(128, dim=-1)
        model.pos_embedding = torch.nn.Parameter(torch.cat([x, y], dim=-1))
    elif detail == "relu-to-gelu":
        for layer in model.global_encoder.layers:
            layer.linear1.register_forward_hook(lambda module, inputs, output: F.gelu(output))
    else:
        block = model.layer2[0]
        block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)
    with torch.inference_mode():
        heatmaps = model(torch.from_numpy(images)).numpy()
    reference = np.load(parity.FOLDER / "transpose_r_a3.npz")["heatmaps"]
    assert parity.fill.rel_err(heatmaps, reference) > 1e-2


def test_every_wrapper_loads(tmp_path):
    torch.manual_seed(0)
    model = TransPose(**transpose.SIZES["transpose-r-a3"], num_keypoints=3).eval()
    state = model.state_dict()
    images = torch.randn(1, 3, 256, 192)
    with torch.inference_mode():
        expected = model(images)
        for wrapped in (state, {"state_dict": {f"module.{key}": value for key, value in state.items()}, "epoch": 1}):
            torch.save(wrapped, tmp_path / "weights.pth")
            torch.testing.assert_close(load_checkpoint(tmp_path / "weights.pth")(images), expected)


def test_other_crops_are_known_from_the_position_table():
    with torch.device("meta"):
        state = TransPose(**transpose.SIZES["transpose-h-s"], input_size=(384, 288)).state_dict()
        assert transpose.from_state(state).input_size == (384, 288)


def test_a_missing_key_is_named():
    with torch.device("meta"):
        state = ZOO["transpose-h-s"].build().state_dict()
    state = {key: torch.empty(value.shape) for key, value in state.items() if key != "stage3.3.fuse_layers.0.2.1.bias"}
    with pytest.raises(ModelError, match=r"looks like a TransPose.*1 missing: stage3\.3\.fuse_layers\.0\.2\.1\.bias"):
        load_checkpoint(state)


def test_other_families_are_left_alone():
    assert transpose.from_state({"backbone.pos_embed": torch.zeros(1, 193, 384)}) is None


@pytest.mark.parametrize(("position", "count"), [("learnable", 1), ("none", 0)])
def test_the_other_positions_of_the_original_run(position, count):
    torch.manual_seed(0)
    size = {"dim": 32, "depth": 1, "ffn": 32, "num_heads": 2, "input_size": (64, 48)}
    model = TransPose(**size, position=position).eval()
    assert sum(key == "pos_embedding" for key in model.state_dict()) == count
    with torch.inference_mode():
        assert model(torch.randn(2, 3, 64, 48)).shape == (2, 17, 16, 12)
