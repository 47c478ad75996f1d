"""Backbones start from files in every published layout, and from nothing that does not fit."""

import numpy as np
import parity
import pytest
import torch
from safetensors.torch import save_file

from posetrack.errors import ModelError, UsageError
from posetrack.models.networks.convvit import ConvViT
from posetrack.models.networks.csp_pan import rename_published
from posetrack.models.networks.deit import DeiT
from posetrack.models.networks.potr import POTR
from posetrack.models.networks.resnet import ResNetTokens
from posetrack.models.networks.transpose import TransPose
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.networks.vitpose_plus import ViTPosePlus
from posetrack.models.networks.xcit import XCiT
from posetrack.models.training import pretrained
from posetrack.models.training.pretrained import load_backbone

SIZE = (64, 48)


def other(module):
    """Return a state dict of the same shapes with other values."""
    return {key: torch.randn_like(v) if v.is_floating_point() else v for key, v in module.state_dict().items()}


def potr(encoder, **arguments):
    return POTR(encoder=encoder, dim=16, depth=1, hidden=16, num_queries=4, num_keypoints=3, **arguments)


def deit(patch=16, dim=64, **arguments):
    return potr(DeiT(patch=patch, input_size=SIZE, dim=dim, depth=1), **arguments)


def vitpose(**arguments):
    return ViTPose(dim=24, depth=2, num_heads=2, input_size=SIZE, **arguments)


def mae(network):
    """Return what MAE publishes for the network's backbone, pre-trained at 224 x 224."""
    state = {k: v for k, v in other(network.backbone).items() if not k.startswith("last_norm.")}
    extra = {"cls_token": torch.randn(1, 1, 24), "norm.weight": torch.randn(24), "norm.bias": torch.randn(24)}
    return state | extra | {"pos_embed": torch.randn(1, 1 + 14 * 14, 24), "decoder_pos_embed": torch.randn(1, 3, 5)}


def written(folder, state, *, wrapped=False):
    """Write a file: safetensors, or wrapped as the authors' training code does."""
    path = folder / ("weights.pth" if wrapped else "weights.safetensors")
    torch.save({"model": state, "epoch": 3}, path) if wrapped else save_file(state, path)
    return path


def assert_loaded(module, state):
    found = {key: value for key, value in module.state_dict().items() if key in state}
    assert found
    for key, value in found.items():
        torch.testing.assert_close(value, state[key], rtol=0, atol=0)


def resized(name, tmp_path, network, state, source_shape):
    positions = torch.from_numpy(parity.fill.value_for(name, source_shape))
    load_backbone(network, written(tmp_path, state | {"pos_embed": positions}, wrapped=True))
    return pretrained._backbone(network).pos_embed.detach().numpy()


@pytest.fixture(scope="module")
def expected():
    with np.load(parity.FOLDER / "train_misc.npz") as file:
        return dict(file)


def test_positions_and_patches_of_mae_are_fitted_as_the_original_does(tmp_path, expected):
    network = ViTPose(dim=384, depth=1, num_heads=12)
    kernel = parity.fill.value_for("mae14.patch_embed.proj.weight", (384, 3, 14, 14))
    state = other(network.backbone) | {"patch_embed.proj.weight": torch.from_numpy(kernel)}
    del state["last_norm.weight"], state["last_norm.bias"]
    found = resized("mae.pos_embed", tmp_path, network, state, (1, 197, 384))
    np.testing.assert_allclose(found[:, :, ::16], expected["vitpose_mae_14x14_to_16x12"], atol=1e-6)
    kernel = network.backbone.patch_embed.proj.weight.detach().numpy()
    np.testing.assert_array_equal(kernel[::32], expected["vitpose_mae_patch14_to_16_pad"])


def test_positions_of_a_distilled_deit_are_fitted_as_the_original_does(tmp_path, expected):
    network = potr(DeiT(patch=16, depth=1))
    state = other(network.transformer.encoder) | {"dist_token": torch.randn(1, 1, 384), "head.bias": torch.randn(9)}
    found = resized("deit.pos_embed", tmp_path, network, state, (1, 198, 384))
    np.testing.assert_allclose(found[:, :, ::16], expected["potr_deit_distilled_14x14_to_192x256"], atol=1e-6)


def test_positions_of_dino_are_fitted_as_the_original_does(tmp_path, expected):
    network = potr(DeiT(patch=8, depth=1))
    found = resized("dino.pos_embed", tmp_path, network, other(network.transformer.encoder), (1, 785, 384))
    np.testing.assert_allclose(found[:, ::4, ::16], expected["potr_dino_p8_28x28_to_192x256"], atol=1e-6)


@pytest.mark.parametrize("wrapped", [False, True])
def test_vitpose_starts_from_mae_with_a_fresh_last_norm_and_head(tmp_path, wrapped):
    network = vitpose()
    fresh = {key: value.clone() for key, value in network.state_dict().items()}
    state = mae(network)
    load_backbone(network, written(tmp_path, state, wrapped=wrapped))
    assert_loaded(network.backbone, {key: value for key, value in state.items() if key != "pos_embed"})
    assert_loaded(network, {key: value for key, value in fresh.items() if "last_norm" in key or "head" in key})
    assert torch.isfinite(network(torch.randn(1, 3, *SIZE))).all()


def test_the_experts_of_vitpose_plus_start_as_the_end_of_one_perceptron(tmp_path):
    network = ViTPosePlus(dim=24, depth=2, num_heads=2, part=6, num_experts=3, num_keypoints=(4,), input_size=SIZE)
    plain = vitpose()
    load_backbone(network, written(tmp_path, mae(plain)))
    load_backbone(plain, tmp_path / "weights.safetensors")
    images = torch.randn(2, 3, *SIZE)
    for dataset in range(3):
        torch.testing.assert_close(network.backbone(images, dataset), plain.backbone(images))


@pytest.mark.parametrize("as_backbone", [False, True])
def test_potr_starts_from_deit(tmp_path, as_backbone):
    network = deit(as_backbone=as_backbone)
    encoder = pretrained._backbone(network)
    state = other(encoder)
    load_backbone(network, written(tmp_path, state | {"head.weight": torch.randn(9, 64)}))
    assert_loaded(encoder, state)


@pytest.mark.parametrize("layout", ["authors", "timm"])
def test_potr_starts_from_xcit(tmp_path, layout):
    network = potr(XCiT(patch=16, input_size=SIZE, dim=32, depth=1, num_heads=4))
    state = other(network.transformer.encoder)
    given = dict(state)
    if layout == "timm":
        for key in list(given):
            if "cls_attn" in key and ".qkv." in key:
                for name, part in zip("qkv", given.pop(key).chunk(3), strict=True):
                    given[key.replace("qkv", name)] = part.clone()
            elif key.startswith("pos_embeder."):
                given[key.replace("pos_embeder", "pos_embed")] = given.pop(key)
    load_backbone(network, written(tmp_path, given | {"head.bias": torch.randn(9)}))
    assert_loaded(network.transformer.encoder, state)


def test_potr_and_transpose_start_from_the_same_resnet(tmp_path):
    resnet = potr(ResNetTokens(input_size=SIZE, dim=16), positions="learned_nocls")
    trunk = resnet.transformer.encoder[0]
    state = {key: value for key, value in other(trunk).items() if not key.endswith("num_batches_tracked")}
    path = written(tmp_path, state | {"fc.weight": torch.randn(9, 2048), "fc.bias": torch.randn(9)})
    load_backbone(resnet, path)
    assert_loaded(trunk, state)
    transpose = TransPose(dim=16, depth=1, ffn=16, num_heads=2, input_size=SIZE)
    load_backbone(transpose, path)
    assert_loaded(transpose, state)


@pytest.mark.parametrize("width", [32, 48])
def test_transpose_starts_from_hrnet(tmp_path, width):
    network = TransPose(width=width, dim=16, depth=1, ffn=16, num_heads=1, input_size=SIZE)
    state = other(network.backbone)
    stages = ("stage3.3.fuse_layers.1.0.0.weight", "transition3.3.0.0.weight", "stage4.0.branches.0.0.conv1.weight")
    head = ("incre_modules.0.0.conv1.weight", "downsamp_modules.0.0.weight", "final_layer.0.bias", "classifier.bias")
    load_backbone(network, written(tmp_path, state | {key: torch.randn(3) for key in (*stages, *head)}))
    assert_loaded(network, state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("blocks.0.attn.qkv.bias"), r"1 missing: blocks\.0\.attn\.qkv\.bias"),
        (lambda state: state.update({"blocks.1.norm1.bias": torch.zeros(64)}), r"1 unknown: blocks\.1\.norm1\.bias"),
        (lambda state: state.update({"norm.bias": torch.zeros(9)}), r"norm\.bias \(9,\) instead of \(64,\)"),
        (lambda state: state.update({"pos_embed": torch.zeros(1, 50 + 7, 64)}), r"pos_embed \(1, 57, 64\)"),
    ],
    ids=["missing", "unknown", "misshapen", "not of a square"],
)
def test_what_does_not_fit_is_refused_with_the_first_keys(tmp_path, change, message):
    network = deit()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = other(network.transformer.encoder)
    change(state)
    with pytest.raises(ModelError, match=message):
        load_backbone(network, written(tmp_path, state))
    assert_loaded(network, before)


def test_a_file_of_the_hub_is_fetched(tmp_path, monkeypatch):
    network = deit()
    state = other(network.transformer.encoder)
    path, asked = written(tmp_path, state), []
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *names, **options: asked.append(names) or path)
    load_backbone(network, "hf:timm/deit_small/sub/model.safetensors")
    assert asked == [("timm/deit_small", "sub/model.safetensors")]
    assert_loaded(network.transformer.encoder, state)


def test_offline_a_file_of_the_hub_that_is_not_here_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"hf:nobody/nothing/x\.pth is not on this machine and posetrack is offline"):
        load_backbone(deit(), "hf:nobody/nothing/x.pth", offline=True)


def test_sources_that_are_none_are_explained(tmp_path):
    with pytest.raises(UsageError, match="hf:OWNER/REPOSITORY/FILE"):
        load_backbone(deit(), "hf:timm/deit_small")
    with pytest.raises(ModelError, match="no weights file"):
        load_backbone(deit(), tmp_path / "absent.pth")
    with pytest.raises(UsageError, match="Linear has no pre-trained backbone"):
        load_backbone(torch.nn.Linear(2, 2), tmp_path / "x")


def test_the_bundled_network_starts_from_a_published_yolo(tmp_path):
    from posetrack.models.networks.ultralytics_import import load_tasks

    torch.manual_seed(0)
    published = load_tasks().PoseModel("yolov8n-pose.yaml", verbose=False)
    torch.save({"model": published}, tmp_path / "yolov8n-pose.pt")
    network = ConvViT(input_size=SIZE, width=32, depth=1, decoder=(8, 8))
    before = other(network)
    network.load_state_dict(before)
    load_backbone(network, tmp_path / "yolov8n-pose.pt")
    renamed = rename_published(published.eval().state_dict())
    for key, value in network.state_dict().items():
        expected = renamed[key.removeprefix("backbone.")] if key.startswith("backbone.") else before[key]
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)
