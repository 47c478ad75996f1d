import numpy as np
import parity
import pytest
import torch

from posetrack.errors import ModelError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.skeletons import DATASETS
from posetrack.models.networks.vitpose import ViTPose
from posetrack.models.networks.vitpose_plus import ExpertMlp, ViTPosePlus
from posetrack.models.weights.checkpoint import load_checkpoint
from posetrack.models.weights.variants import ZOO

PARAMETERS = {  # of the original with all six heads, and of transformers with COCO's
    "vitpose-plus-s": (46_306_646, 33_143_697),
    "vitpose-plus-b": (146_422_742, 125_395_473),
    "vitpose-plus-l": (460_674_774, 434_404_625),
    "vitpose-plus-h": (930_917_078, 899_404_049),
}


@pytest.fixture(scope="module")
def plus():
    """The small network with the original's keys: (checkpoint, network, images)."""
    checkpoint, images, _ = parity.load("vitpose_plus_s")
    return checkpoint, load_checkpoint(checkpoint), torch.from_numpy(images)


def reference(name, array):
    with np.load(parity.FOLDER / f"{name}.npz") as arrays:
        return arrays[array]


@pytest.mark.parametrize(("fixture", "part"), [("vitpose_plus_s", 96), ("vitpose_plus_s_part192", 192)])
@torch.inference_mode()
@pytest.mark.slow
def test_heatmaps_of_every_dataset_are_those_of_the_original(fixture, part):
    checkpoint, images, _ = parity.load(fixture)
    images = torch.from_numpy(images)
    model = load_checkpoint(checkpoint)
    assert isinstance(model, ViTPosePlus)
    assert {block.mlp.part for block in model.backbone.blocks} == {part}
    found = {"heatmaps_d0": model(images)}
    for dataset in range(1, 6):
        step = 8 if dataset == 5 else 1  # of the whole body's 133 heat maps the fixture keeps every eighth
        found[f"heatmaps_d{dataset}_sub"] = model(images, dataset)[:, ::step, ::4, ::4]
        found[f"cocohead_d{dataset}_sub"] = model(images, dataset, head=0)[:, :, ::4, ::4]
    three = torch.from_numpy(parity.fill.make_input("vitpose3", (3, 3, 256, 192)))
    found["cocohead_mixed_0_5_2_sub"] = model(three, torch.tensor([0, 5, 2]), head=0)[:, :, ::4, ::4]
    assert {array.dtype for array in found.values()} == {torch.float32}
    parity.fill.compare(fixture, {name: array.numpy() for name, array in found.items()})


@pytest.mark.parametrize(
    "fixture", ["hf_vitpose_plus_small", pytest.param("hf_vitpose_plus_base", marks=pytest.mark.slow)]
)
@torch.inference_mode()
def test_heatmaps_are_those_of_transformers(fixture):
    checkpoint, images, _ = parity.load(fixture)
    images = torch.from_numpy(images)
    model = load_checkpoint(checkpoint)
    found = {"heatmaps_d0": model(images)}
    for dataset in range(1, 6):
        found[f"heatmaps_d{dataset}_sub"] = model(images, dataset, head=0)[:, :, ::4, ::4]
    found["flipback_sub"] = model(images.flip(3)).flip(3)[:, COCO.flip_order.tolist(), ::4, ::4]
    parity.fill.compare(fixture, {name: array.numpy() for name, array in found.items()})
    with pytest.raises(ValueError, match="this network has 1"):
        model(images, 1)
    with pytest.raises(ModelError, match="has a head for coco only, none for aic, like all"):
        load_checkpoint(checkpoint, dataset="aic")


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_those_of_the_original(name):
    full, coco_only = PARAMETERS[name]
    with torch.device("meta"):
        model = ZOO[name].build()
        hub = ZOO[name].build(num_keypoints=(17,))
    assert sum(p.numel() for p in model.parameters()) == full
    assert sum(p.numel() for p in hub.parameters()) == coco_only
    assert {m.eps for m in model.modules() if isinstance(m, torch.nn.LayerNorm)} == {1e-6}


@torch.inference_mode()
def test_a_call_of_one_dataset_is_the_same_as_a_mixed_one(plus):
    _, model, images = plus
    one = model(images, 4)
    mixed = model(torch.cat([images, images]), torch.tensor([4, 1]), head=4)
    assert parity.fill.rel_err(mixed[:1], one) < 1e-5
    assert parity.fill.rel_err(mixed[1:], one) > 1e-2


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"dataset": 6}, "has 6; give 0 to 5"),
        ({"dataset": -1}, "has 6"),
        ({"dataset": torch.tensor([7]), "head": 0}, "has 6"),
        ({"dataset": torch.tensor([1])}, "needs the argument head"),
        ({"dataset": torch.tensor([1, 1]), "head": 0}, "1 images and 2 datasets"),
        ({"head": 6}, "has 6"),
    ],
)
def test_a_dataset_that_is_not_there_is_refused(plus, arguments, match):
    _, model, images = plus
    with pytest.raises(ValueError, match=match):
        model(images, **arguments)


def split_file(checkpoint, dataset):
    """What the original's tools/model_split.py writes: a merged fc2, the dataset's head, leftover experts and heads."""
    state = dict(checkpoint)
    for key in checkpoint:
        if ".mlp.fc2." in key:
            state[key] = torch.cat([checkpoint[key], checkpoint[key.replace("fc2", f"experts.{dataset}")]])
        elif key.startswith("keypoint_head.") and dataset:
            state[key] = checkpoint[f"associate_keypoint_heads.{dataset - 1}." + key.removeprefix("keypoint_head.")]
    return state


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "name"), list(enumerate(DATASETS)))
@torch.inference_mode()
def test_a_split_file_is_a_plain_network_that_equals_the_experts(plus, dataset, name):
    checkpoint, model, images = plus
    expected = model(images, dataset)
    assert expected.shape == (1, len(DATASETS[name]), 64, 48)
    from_file, from_full = load_checkpoint(split_file(checkpoint, dataset)), load_checkpoint(checkpoint, dataset=name)
    for plain in (from_file, from_full):
        assert isinstance(plain, ViTPose)
        assert not plain.training
        assert parity.fill.rel_err(plain(images), expected) < 1e-5


def test_a_split_file_is_taken_as_that_of_a_dataset_with_as_many_keypoints(plus):
    for dataset in ("coco", "ap10k", "apt36k"):
        assert load_checkpoint(split_file(plus[0], 3), dataset=dataset).num_keypoints == 17
    with pytest.raises(
        ModelError, match=r"estimates 16 keypoints, but the skeleton of coco has 17\. Add --dataset mpii"
    ):
        load_checkpoint(split_file(plus[0], 2), dataset="coco")
    with pytest.raises(ModelError, match="Add --dataset coco or ap10k or apt36k"):
        load_checkpoint(split_file(plus[0], 0), dataset="wholebody")
    with pytest.raises(UsageError, match=r"no dataset 'body'\. Choose one of coco, aic"):
        load_checkpoint(plus[0], dataset="body")


@pytest.mark.parametrize(
    ("key", "match"),
    [
        ("backbone.blocks.3.mlp.experts.2.bias", r"1 missing: backbone\.blocks\.3\.mlp\.experts\.2\.bias"),
        (
            "associate_keypoint_heads.1.final_layer.weight",
            r"1 missing: associate_keypoint_heads\.1\.final_layer\.weight",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_missing_key_is_named(plus, key, match):
    with pytest.raises(ModelError, match=match):
        load_checkpoint({name: value for name, value in plus[0].items() if name != key})


def test_a_misshapen_fc2_is_named(plus):
    key = "backbone.blocks.0.mlp.fc2.weight"
    with pytest.raises(ModelError, match=r"with another shape: .*fc2\.weight \(200, 1536\) instead of \(288, 1536\)"):
        load_checkpoint(plus[0] | {key: plus[0][key][:200]})


@pytest.mark.parametrize("detail", ["expert-first", "another-expert", "another-head"])
@torch.inference_mode()
def test_a_wrong_detail_would_be_noticed(plus, detail, monkeypatch):
    """The fixture distinguishes the published network from one that is nearly the same."""
    _, model, images = plus
    if detail == "expert-first":
        original = ExpertMlp.forward

        def swapped(self, x, dataset):
            shared, own = original(self, x, dataset).split([288, 96], dim=-1)
            return torch.cat([own, shared], dim=-1)

        monkeypatch.setattr(ExpertMlp, "forward", swapped)
    arguments = {"expert-first": (3, 3), "another-expert": (4, 3), "another-head": (3, 4)}[detail]
    heatmaps = model(images, arguments[0], head=arguments[1])[:, :, ::4, ::4]
    assert parity.fill.rel_err(heatmaps, reference("vitpose_plus_s", "heatmaps_d3_sub")) > 1e-2
