import json

import numpy as np
import parity
import pytest
import torch

from posetrack.models.geometry.arrays import to_arrays
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.processing import UDP, by_heatmaps
from posetrack.models.weights.checkpoint import load_checkpoint
from posetrack.models.weights.recognise import from_transformers
from posetrack.models.weights.variants import ZOO

PARAMETERS = {  # of the original implementation
    "vitpose-s": 24_290_577,
    "vitpose-b": 89_994_513,
    "vitpose-l": 308_544_785,
    "vitpose-h": 637_208_849,
    "vitpose-s-simple": 21_722_513,
    "vitpose-b-simple": 85_912_337,
    "vitpose-l-simple": 303_453_201,
    "vitpose-h-simple": 631_107_857,
}


LARGER = pytest.mark.slow  # the same code as the small one's


@pytest.mark.parametrize(
    "fixture",
    [
        "vitpose_s_classic",
        "vitpose_s_simple",
        pytest.param("vitpose_b_classic", marks=LARGER),
        pytest.param("vitpose_b_simple", marks=LARGER),
    ],
)
@torch.inference_mode()
def test_heatmaps_are_those_of_the_original(fixture):
    checkpoint, images, _ = parity.load(fixture)
    model = load_checkpoint(checkpoint)
    merged = []

    def network(images):
        return to_arrays(model(torch.from_numpy(images)))

    by_heatmaps(lambda maps: merged.append(maps) or UDP.decode(maps), network, images, COCO.flip_order)
    images = torch.from_numpy(images)
    heatmaps = model(images)
    assert heatmaps.dtype == torch.float32
    found = {
        "heatmaps": heatmaps.numpy(),
        "feat_sub": model.backbone(images)[:, ::16].numpy(),
        "flip_merged_sub": merged[0][:, :, ::4, ::4],
    }
    parity.fill.compare(fixture, found)


@torch.inference_mode()
def test_heatmaps_are_those_of_transformers():
    checkpoint, images, _ = parity.load("hf_vitpose_base")
    images = torch.from_numpy(images)
    model = load_checkpoint(checkpoint)
    back = model(images.flip(3)).flip(3)[:, COCO.flip_order.tolist(), ::4, ::4]
    parity.fill.compare("hf_vitpose_base", {"heatmaps": model(images).numpy(), "flipback_sub": back.numpy()})


LARGE = json.loads((parity.FOLDER / "keys_only_large_huge.json").read_text())


@pytest.mark.parametrize("fixture", sorted(LARGE))
def test_names_and_shapes_of_the_large_are_those_of_the_original(fixture):
    hub = fixture.startswith("hf_")
    name = {"hf_vitpose_plus_large": "vitpose-plus-l", "hf_vitpose_plus_huge": "vitpose-plus-h"}.get(
        fixture, fixture.replace("_", "-").removesuffix("-classic")
    )
    with torch.device("meta"):
        model = ZOO[name].build(num_keypoints=(17,)) if hub else ZOO[name].build()
        published = {key: torch.empty(shape) for key, shape, _ in LARGE[fixture]["keys"]}
    state = from_transformers(published) if hub else published
    assert {k: v.shape for k, v in model.state_dict().items()} == {k: v.shape for k, v in state.items()}
    assert sum(p.numel() for p in model.parameters()) == LARGE[fixture]["num_params"]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_those_of_the_original(name):
    with torch.device("meta"):
        model = ZOO[name].build()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_layer_norm_has_the_original_epsilon(name):
    with torch.device("meta"):
        model = ZOO[name].build()
    norms = [module for module in model.modules() if isinstance(module, torch.nn.LayerNorm)]
    assert len(norms) == 2 * len(model.backbone.blocks) + 1
    assert {norm.eps for norm in norms} == {1e-6}


@pytest.mark.parametrize("detail", ["tanh-gelu", "no-class-slot", "nearest"])
def test_a_wrong_detail_would_be_noticed(detail, monkeypatch):
    """The fixture distinguishes the published network from one that is nearly the same."""
    from torch.nn import functional as F

    from posetrack.models.networks import vit, vitpose

    checkpoint, images, _ = parity.load("vitpose_s_simple")
    model = load_checkpoint(checkpoint)
    if detail == "tanh-gelu":
        original = F.gelu
        monkeypatch.setattr(vit.F, "gelu", lambda x: original(x, approximate="tanh"))
    elif detail == "no-class-slot":
        with torch.no_grad():
            model.backbone.pos_embed[:, :1] = 0
    else:
        original = F.interpolate
        monkeypatch.setattr(vitpose.F, "interpolate", lambda x, **_: original(x, scale_factor=4.0, mode="nearest"))
    with torch.inference_mode():
        heatmaps = model(torch.from_numpy(images)).numpy()
    reference = np.load(parity.FOLDER / "vitpose_s_simple.npz")["heatmaps"]
    assert parity.fill.rel_err(heatmaps, reference) > 2e-4
