import numpy as np
import parity
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from posetrack.errors import ModelError
from posetrack.models.networks import detr, potr, vit, xcit
from posetrack.models.networks.deit import DeiT
from posetrack.models.networks.potr import POTR, from_state
from posetrack.models.networks.resnet import ResNetTokens
from posetrack.models.networks.xcit import XCiT
from posetrack.models.weights.checkpoint import load_checkpoint
from posetrack.models.weights.variants import ZOO

FIXTURES = sorted(path.stem for path in parity.FOLDER.glob("potr_*.json"))

PARAMETERS = {  # of the original implementation
    "potr-deit-s16": 36_379_412,
    "potr-deit-dino-s8": 38_741_780,
    "potr-xcit-s12-p16": 40_583_588,
    "potr-xcit-s12-p16-288x384": 40_583_588,
    "potr-xcit-s12-p8": 40_543_316,
    "potr-xcit-s12-p8-288x384": 40_543_316,
    "potr-resnet50": 39_003_604,
    "potr-vab-deit-s16": 47_297_300,
    "potr-vab-resnet50": 49_946_452,
}


def run(model, images, meta):
    """Return the arrays that a fixture holds."""
    memory = []
    norm = model.transformer.vit_norm if model.backbone is None else model.transformer.norm1
    handle = norm.register_forward_hook(lambda *call: memory.append(call[2]))
    with torch.inference_mode():
        outputs = model(torch.from_numpy(images))
    handle.remove()
    tokens, channels = meta["memory_stride"]
    return {
        "pred_logits": outputs["pred_logits"].numpy(),
        "pred_boxes": outputs["pred_boxes"].numpy(),
        "aux_logits_sub": np.stack([layer["pred_logits"][:, ::10] for layer in outputs["aux_outputs"]]),
        "aux_boxes_sub": np.stack([layer["pred_boxes"][:, ::10] for layer in outputs["aux_outputs"]]),
        "memory_sub": memory[0][:, ::tokens, ::channels].numpy(),
    }


def compare(fixture, got):
    """Compare the encoder's output to 1e-4, and the decoder's to what the order of additions leaves of it.

    With the fixtures' weights the decoder multiplies a change of its input by 50 to 300: in float64, pixels that differ
    by 1e-7 give logits that differ by up to 3e-5 standard deviations, and the original's own float32 is up to 8e-4 from
    float64 (potr_xcit_p8). Processors, builds of PyTorch and numbers of threads add up in different orders: up to
    1.3e-3 was seen. An operation that differs from the original's changes the encoder's output, or exceeds 3e-3, such
    as another epsilon.
    """
    memory = {"memory_sub": got.pop("memory_sub")}
    parity.fill.compare(fixture, memory)
    parity.fill.compare(fixture, got, tol=3e-3)


@pytest.mark.parametrize(
    "fixture", [pytest.param(name, marks=pytest.mark.slow if "_p8_" in name else ()) for name in FIXTURES]
)
@pytest.mark.slow
def test_answers_are_those_of_the_original(fixture):
    checkpoint, images, meta = parity.load(fixture)
    model = load_checkpoint(checkpoint, input_size=images.shape[2:])
    assert set(model.state_dict()) == {key for key, _, _ in meta["keys"]}
    compare(fixture, run(model, images, meta))


def test_an_xcit_reads_a_crop_of_any_size():
    """Its weights do not state the input size of the training, so the crop must."""
    checkpoint, images, meta = parity.load("potr_xcit_p16_288x384")
    model = load_checkpoint(checkpoint)
    assert model.input_size == (256, 192)
    compare("potr_xcit_p16_288x384", run(model, images, meta))


def test_every_fixture_is_there():
    assert len(FIXTURES) == 10


def build(name):
    with torch.device("meta"):
        return ZOO[name].build()


def count(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_those_of_the_original(name):
    assert count(build(name)) == PARAMETERS[name]


def test_parameters_of_other_options_are_those_of_the_original():
    with torch.device("meta"):
        assert count(POTR(encoder=DeiT(patch=8))) == 36_379_412
        assert count(POTR(encoder=DeiT(patch=16), positions="learned_cls")) == 36_428_564
        assert count(POTR(encoder=DeiT(patch=16), positions="none")) == 36_354_452


def test_every_network_is_in_the_zoo():
    assert {name for name, variant in ZOO.items() if variant.family == "POTR"} == set(PARAMETERS) == set(potr.SIZES)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_layer_norms_have_the_original_epsilons(name):
    model = build(name)
    encoder = model.transformer.encoder if model.backbone is None else model.backbone["body"]
    inside = {norm for norm in encoder.modules() if isinstance(norm, nn.LayerNorm)}
    outside = {norm for norm in model.modules() if isinstance(norm, nn.LayerNorm)} - inside
    assert {norm.eps for norm in inside} == (set() if isinstance(encoder, ResNetTokens) else {1e-6})
    assert {norm.eps for norm in outside} == {1e-5}
    assert {norm.eps for norm in encoder.modules() if isinstance(norm, nn.BatchNorm2d)} <= {1e-5}


def test_attention_heads_are_those_of_the_original():
    assert {block.attn.num_heads for block in build("potr-deit-s16").transformer.encoder.blocks} == {6}
    encoder = build("potr-xcit-s12-p16").transformer.encoder
    assert {block.attn.num_heads for block in [*encoder.blocks, *encoder.cls_attn_blocks]} == {8}
    assert {layer.multihead_attn.num_heads for layer in build("potr-deit-s16").transformer.decoder.layers} == {8}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_network_is_known_by_its_keys_and_shapes(name):
    original = build(name)
    state = original.state_dict()
    size = original.input_size if "xcit" in name else None  # nothing in an XCiT depends on it
    with torch.device("meta"):
        found = from_state(state, input_size=size)
    assert found.input_size == original.input_size
    assert {k: v.shape for k, v in found.state_dict().items()} == {k: v.shape for k, v in state.items()}


def test_sizes_that_no_zoo_name_has_are_known_too():
    with torch.device("meta"):
        networks = [
            POTR(encoder=DeiT(patch=16, dim=192, input_size=(384, 288)), dim=128, num_queries=20, num_keypoints=14),
            POTR(encoder=XCiT(patch=8, dim=128, num_heads=4, input_size=(128, 96)), positions="learned_cls"),
            POTR(encoder=ResNetTokens(input_size=(384, 288)), positions="learned_nocls", depth=3),
            POTR(encoder=DeiT(patch=16, depth=2), positions="learned_cls", as_backbone=True),
            POTR(encoder=ResNetTokens(), positions="none"),
        ]
        for network in networks:
            state = network.state_dict()
            found = from_state(state)
            assert found.input_size == network.input_size
            assert {k: v.shape for k, v in found.state_dict().items()} == {k: v.shape for k, v in state.items()}


def test_other_families_are_not_taken():
    assert from_state({"backbone.patch_embed.proj.weight": torch.zeros(1)}) is None
    unknown = {"query_embed.weight": torch.zeros(1, 1), "transformer.lin_proj_mem.weight": torch.zeros(1)}
    assert from_state(unknown) is None


@pytest.mark.parametrize(
    ("encoder", "arguments"),
    [
        (ResNetTokens, {"positions": "enc_xcit"}),
        (ResNetTokens, {"positions": "learned_cls"}),
        (ResNetTokens, {"positions": "none", "as_backbone": True}),
        (lambda: DeiT(patch=16), {"positions": "learned_nocls"}),
        (lambda: DeiT(patch=16), {"positions": "enc_sine"}),
        (lambda: XCiT(patch=16), {"as_backbone": True}),
    ],
)
def test_positions_that_fail_in_the_original_are_refused(encoder, arguments):
    with torch.device("meta"), pytest.raises(ValueError, match="choose"):
        POTR(encoder=encoder(), **arguments)


@pytest.fixture(scope="module")
def small():
    """A network of the family that is quick to build and save."""
    torch.manual_seed(0)
    encoder = XCiT(patch=16, dim=64, depth=1, num_heads=4, input_size=(128, 96))
    return POTR(encoder=encoder, dim=32, hidden=48, depth=2, num_queries=20).eval()


def test_answers_have_the_shapes_of_the_original(small):
    with torch.inference_mode():
        outputs = small(torch.zeros(3, 3, 128, 96))
        empty = small(torch.zeros(0, 3, 128, 96))
    assert outputs["pred_logits"].shape == (3, 20, 18)
    assert outputs["pred_boxes"].shape == (3, 20, 2)
    assert [sorted(layer) for layer in outputs["aux_outputs"]] == [["pred_boxes", "pred_logits"]]
    assert empty["pred_boxes"].shape == (0, 20, 2)


@pytest.mark.parametrize("inside", ["vitdetr.", "vitdetr.module.", "module.vitdetr."])
def test_a_lightning_file_loads(small, tmp_path, inside):
    state = {inside + key: value for key, value in small.state_dict().items()}
    state[inside.split("vitdetr")[0] + "criterion.empty_weight"] = torch.ones(18)
    arguments = {"input_size": [96, 128], "activation": "relu", "vit_arch": "xcit_small_12_p16", "lr": 1e-4}
    torch.save({"state_dict": state, "epoch": 65, "hyper_parameters": arguments}, tmp_path / "last.ckpt")
    model = load_checkpoint(tmp_path / "last.ckpt")
    assert model.input_size == (128, 96)
    assert model.transformer.decoder.layers[0].activation is F.relu
    assert not model.training
    for key, value in small.state_dict().items():
        torch.testing.assert_close(model.state_dict()[key], value)


def test_a_given_input_size_goes_before_the_file(small, tmp_path):
    state = {f"module.{key}": value for key, value in small.state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": {"input_size": [96, 128]}}, tmp_path / "last.ckpt")
    assert load_checkpoint(tmp_path / "last.ckpt", input_size=(64, 48)).input_size == (64, 48)
    assert load_checkpoint(state).input_size == (256, 192)  # that of most published files


@pytest.mark.parametrize(
    "key",
    [
        "transformer.decoder.norm.weight",
        "transformer.decoder.layers.0.linear1.weight",
        "transformer.encoder.blocks.0.attn.temperature",
        "transformer.encoder.norm.weight",
        "class_embed.weight",
    ],
)
def test_a_missing_key_is_named(small, key):
    state = {k: v for k, v in small.state_dict().items() if k != key}
    with pytest.raises(ModelError, match=rf"POTR.*missing: {key}"):
        load_checkpoint(state)


MUTATIONS = {
    "tanh-gelu": "potr_deit_p16_192x256",
    "relu-in-the-decoder": "potr_deit_p16_192x256",
    "no-class-token-in-memory": "potr_deit_p16_192x256",
    "position-for-the-class-token": "potr_deit_p16_192x256",
    "positions-in-values": "potr_deit_p16_learned_cls_192x256",
    "class-attention-not-doubled": "potr_xcit_p16_192x256",
    "columns-before-rows": "potr_xcit_p16_192x256",
    "gelu-in-a-backbone's-transformer": "potr_vab_deit_p16_192x256",
}


@pytest.mark.slow
@pytest.mark.parametrize("detail", sorted(MUTATIONS))
def test_a_wrong_detail_would_be_noticed(detail, monkeypatch):
    """The fixture distinguishes the published network from one that is nearly the same."""
    checkpoint, images, _ = parity.load(MUTATIONS[detail])
    model = load_checkpoint(checkpoint)
    transformer = model.transformer
    if detail == "tanh-gelu":
        exact = F.gelu
        monkeypatch.setattr(vit.F, "gelu", lambda x, **_: exact(x, approximate="tanh"))
    elif detail == "relu-in-the-decoder":
        for layer in transformer.decoder.layers:
            layer.activation = F.relu
    elif detail == "no-class-token-in-memory":
        positions = transformer.positions(model.input_size)[:, 1:]
        monkeypatch.setattr(transformer, "positions", lambda _: positions)
        transformer.vit_norm.register_forward_hook(lambda _, __, memory: memory[:, 1:])
    elif detail == "position-for-the-class-token":
        positions = transformer.positions(model.input_size).roll(-1, 1)
        monkeypatch.setattr(transformer, "positions", lambda _: positions)
    elif detail == "positions-in-values":
        original = detr.DecoderLayer.forward
        monkeypatch.setattr(detr.DecoderLayer, "forward", lambda self, x, q, k, _: original(self, x, q, k, k))
    elif detail == "class-attention-not-doubled":

        def forward(self, x):
            x = self.norm2(x + self.gamma1 * self.attn(self.norm1(x)))
            return torch.cat([x[:, :1] + self.gamma2 * self.mlp(x[:, :1]), x[:, 1:]], dim=1)

        monkeypatch.setattr(xcit.ClassAttentionBlock, "forward", forward)
    elif detail == "columns-before-rows":
        turned = xcit.FourierPositions.forward
        monkeypatch.setattr(xcit.FourierPositions, "forward", lambda self, grid: turned(self, grid[::-1]).mT)
    else:
        for layer in [*transformer.encoder.layers, *transformer.decoder.layers]:
            layer.activation = F.gelu
    with torch.inference_mode():
        logits = model(torch.from_numpy(images))["pred_logits"].numpy()
    reference = np.load(parity.FOLDER / f"{MUTATIONS[detail]}.npz")["pred_logits"]
    assert parity.fill.rel_err(logits, reference) > 1e-3
