import numpy as np
import parity
import pytest
import torch

from posetrack.models.weights import load_checkpoint
from posetrack.models.zoo import ZOO

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


@pytest.mark.parametrize("fixture", ["vitpose_s_classic", "vitpose_s_simple", "vitpose_b_simple", "hf_vitpose_base"])
def test_heatmaps_are_those_of_the_original(fixture):
    checkpoint, images, _ = parity.load(fixture)
    model = load_checkpoint(checkpoint)
    with torch.inference_mode():
        heatmaps = model(torch.from_numpy(images))
    assert heatmaps.dtype == torch.float32
    parity.fill.compare(fixture, {"heatmaps": heatmaps.numpy()})


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_those_of_the_original(name):
    with torch.device("meta"):
        model = ZOO[name].build()
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]


def test_layer_norm_has_the_original_epsilon():
    with torch.device("meta"):
        model = ZOO["vitpose-s"].build()
    norms = [module for module in model.modules() if isinstance(module, torch.nn.LayerNorm)]
    assert len(norms) == 25
    assert {norm.eps for norm in norms} == {1e-6}


@pytest.mark.parametrize("detail", ["tanh-gelu", "no-class-slot", "nearest"])
def test_a_wrong_detail_would_be_noticed(detail, monkeypatch):
    """The fixture tells the published network from one that is nearly the same."""
    from torch.nn import functional as F

    from posetrack.models import vit, vitpose

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
