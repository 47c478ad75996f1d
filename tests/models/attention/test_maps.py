import json

import numpy as np
import parity
import pytest
import torch
from torch import nn

from posetrack.errors import ModelError
from posetrack.models.attention import figure
from posetrack.models.attention import maps as attention
from posetrack.models.networks.convvit import ConvViT
from posetrack.models.networks.transpose import TransPose
from posetrack.models.networks.vit import Attention
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.weights.checkpoint import load_checkpoint

VIS = json.loads((parity.FOLDER / "transpose_vis.json").read_text())
BOX = (60, 40, 180, 280)


def networks():
    torch.manual_seed(0)
    small = {"input_size": (64, 48)}
    built = {
        "transpose": TransPose(dim=32, depth=2, ffn=32, num_heads=2, **small),
        "vitpose": ViTPose(dim=24, depth=5, num_heads=2, **small),
        "convvit": ConvViT(backbone_width=0.0625, width=32, depth=1, decoder=(8, 8), **small),
    }
    for network in built.values():
        last = network.keypoint_head if isinstance(network, ViTPose) else network
        nn.init.constant_(last.final_layer.bias, 3.0)  # so that every map has a positive peak
    return {name: network.eval() for name, network in built.items()}


@pytest.fixture(params=["transpose", "vitpose", "convvit"])
def network(request):
    return networks()[request.param]


@pytest.fixture(scope="module")
def image():
    return parity.fill.make_image(320, 240)


@pytest.mark.parametrize("fixture", ["transpose_r_a3", "transpose_h_s"])
def test_maps_are_those_of_the_original(fixture):
    checkpoint, images, _ = parity.load(fixture)
    model = load_checkpoint(checkpoint)
    with torch.inference_mode():
        _, layers, grid = attention.self_attention(model, torch.from_numpy(images))
    place = {"grid": grid, "stride": model.stride}
    threshold = attention.THRESHOLDS[model.stride]
    assert threshold == VIS[f"{fixture}_threshold"]
    queries = [VIS["query_locations"][k] for k in VIS["keypoints_stored"]]

    def maps(function, **options):
        found = [[function(layer[0], query, **place, **options) for query in queries] for layer in layers]
        return np.array(found)[..., ::8, ::8]

    # Weights of a peaked softmax carry more float32 noise than heat maps, see test_transpose.py.
    parity.fill.compare(
        "transpose_vis",
        {
            f"{fixture}_dependency_raw_sub": maps(attention.dependency),
            f"{fixture}_affect_raw_sub": maps(attention.affect),
        },
        folder=parity.FOLDER,
        tol=1e-3,
    )
    reference = np.load(parity.FOLDER / "transpose_vis.npz")[f"{fixture}_dependency_thr_sub"]
    ours = maps(attention.dependency, threshold=threshold)
    agree = (ours > 0) == (reference > 0)
    assert agree.mean() > 0.999  # a value beside the threshold may fall on either side
    assert parity.fill.rel_err(ours * agree, reference * agree) < 1e-3


def test_wrong_details_would_be_noticed():
    checkpoint, images, _ = parity.load("transpose_r_a3")
    model = load_checkpoint(checkpoint)
    with torch.inference_mode():
        _, layers, grid = attention.self_attention(model, torch.from_numpy(images))
    x, y = VIS["query_locations"][5]
    reference = np.load(parity.FOLDER / "transpose_vis.npz")["transpose_r_a3_dependency_raw_sub"][:, 1]
    wrong = {
        "rounded": [attention.dependency(a[0], (x + 4, y + 4), grid=grid, stride=8) for a in layers],
        "x-y-swapped": [attention.dependency(a[0], (y, x), grid=grid, stride=8) for a in layers],
        "column-for-row": [attention.affect(a[0], (x, y), grid=grid, stride=8) for a in layers],
    }
    for detail, maps in wrong.items():
        assert parity.fill.rel_err(np.array(maps)[..., ::8, ::8], reference) > 1e-2, detail


def test_attention_changes_nothing(network):
    images = torch.randn(2, 3, 64, 48)
    with torch.inference_mode():
        expected = network(images)
        heatmaps, layers, grid = attention.self_attention(network, images)
        torch.testing.assert_close(network(images), expected)  # nothing stays hooked
    torch.testing.assert_close(heatmaps, expected)
    assert grid == ((8, 6) if isinstance(network, TransPose) else (4, 3))
    for layer in layers:
        assert layer.shape == (2, grid[0] * grid[1], grid[0] * grid[1])
        torch.testing.assert_close(layer.sum(-1), torch.ones(layer.shape[:2]))


def test_weights_of_one_head_are_those_that_forward_uses():
    torch.manual_seed(0)
    layer, x = Attention(16, num_heads=1), torch.randn(2, 5, 16)
    values = layer.qkv(x)[..., 32:]
    torch.testing.assert_close(layer.proj(layer.weights(x) @ values), layer(x))


def test_a_network_without_such_attention_is_refused():
    with pytest.raises(ModelError, match="Conv2d has no attention between image tokens"):
        attention.self_attention(nn.Conv2d(3, 17, 3), torch.zeros(1, 3, 64, 48))


def test_queries_at_the_border_stay_inside():
    weights = torch.eye(12)
    for query, token in (((47.9, 63.9), 11), ((48, 64), 11), ((-1, -1), 0), ((17, 0), 1)):
        found = attention.dependency(weights, query, grid=(4, 3), stride=16)
        assert found.shape == (64, 48)
        assert divmod(int(found.argmax()), 48)[0] // 16 * 3 + int(found.argmax()) % 48 // 16 == token


def test_figure_has_a_row_a_layer(network, image):
    drawn = attention.attention_figure(image, network, box=BOX, keypoint="left_wrist", name="a-network")
    assert drawn.dtype == np.uint8
    panel = figure.PANEL + figure.GAP
    layers = {TransPose: 2, ViTPose: 3, ConvViT: 2}[type(network)]  # five layers stand in two blocks
    assert drawn.shape[0] // panel == layers
    assert (drawn[:10] == 255).all()  # white margin
    other = attention.attention_figure(image, network, box=(0, 0, 100, 200), keypoint="nose")
    assert (drawn != other).mean() > 0.05


def test_a_keypoint_that_is_not_found_is_an_error(image):
    network = networks()["transpose"]
    nn.init.zeros_(network.final_layer.weight)
    nn.init.constant_(network.final_layer.bias, -1.0)
    with pytest.raises(ModelError, match="finds no left wrist in this box"):
        attention.attention_figure(image, network, box=BOX, keypoint="left_wrist")
