"""Any backbone of timm becomes a pose network that trains, is saved, loads and is exported."""

import dataclasses

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from overfit import Learned, UntilLearned
from stick_people import draw

from posetrack.errors import ModelError, UsageError
from posetrack.models.export import files as export
from posetrack.models.networks.timm_pose import HEADS, TimmPose
from posetrack.models.training import data
from posetrack.models.training.loop import fit
from posetrack.models.training.pose import PoseTask, build
from posetrack.models.training.recipe import Augment, Data, Network, Optim, Recipe, Schedule
from posetrack.models.training.recipe_file import read
from posetrack.models.weights import card
from posetrack.models.weights import checkpoint as weights

SIZE = (128, 96)
KINDS = {"test_vit": "simple", "test_resnet": "bundled", "test_efficientnet": "transpose"}  # and a head for each
LEARN = {"test_vit": 5e-4, "test_resnet": 2e-3, "test_efficientnet": 5e-4}


def recipe(backbone, head, *, epochs=1, lr=2e-3, size=SIZE):
    return Recipe(
        network=Network(variant="timm", backbone=backbone, head=head, input_size=size),
        loss="vitpose",
        epochs=epochs,
        batch=8,
        clip=1.0,
        data=Data(workers=0),
        augment=Augment(flip=0.0),
        optim=Optim(groups="slow_encoder", lr=lr, encoder_lr=lr, weight_decay=0.01),
        schedule=Schedule(kind="plateau", warmup=2, decay=epochs // 3),
    )


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    draw(root)
    return data.read(root, split="train")[0]


def train(people, out, recipe, task=PoseTask):
    return fit(task(people, people, recipe), recipe, out=out, fabric=Fabric(accelerator="cpu", devices=1))


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "head"), KINDS.items())
def test_each_kind_overfits_eight_people(people, tmp_path, backbone, head):
    words = recipe(backbone, head, epochs=200, lr=LEARN[backbone], size=(96, 64))
    with pytest.raises(Learned):
        train(people, tmp_path, dataclasses.replace(words, validate_every=10), UntilLearned)


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "head"), KINDS.items())
def test_what_was_trained_is_loaded_and_exported(people, tmp_path, backbone, head):
    train(people, tmp_path, recipe(backbone, head))
    network = weights.load_checkpoint(tmp_path / "model.safetensors")
    assert (network.notes["backbone"], network.notes["head"], network.input_size) == (backbone, head, SIZE)
    saved = torch.load(tmp_path / "last.pt", weights_only=True)["ema"]
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, saved[key])
    images = torch.rand(3, 3, *SIZE)
    with torch.inference_mode():
        maps = network(images)
    assert maps.shape == (3, 17, 32, 24)
    ov = pytest.importorskip("openvino", reason="needs openvino")
    export.write(network, tmp_path / "net.xml", card.PoseCard(input_size=SIZE, processing="udp"))
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    exported = ov.Core().compile_model(tmp_path / "net.xml", "CPU", config)(images.numpy())[0]
    np.testing.assert_allclose(exported, maps.numpy(), atol=1e-4, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", KINDS)
def test_its_exports_are_models_in_fp32_and_int8(people, tmp_path, backbone):
    pytest.importorskip("nncf", reason="needs nncf")
    from posetrack.models.export.quantize import to_int8
    from posetrack.tracker.perception.pose import load_pose_estimator

    train(people, tmp_path, recipe(backbone, KINDS[backbone], epochs=3))
    network, exact, rounded = (tmp_path / name for name in ("model.safetensors", "net.xml", "int8.xml"))
    export.write(
        weights.load_checkpoint(network), exact, card.PoseCard(input_size=SIZE, processing="udp", skeleton="coco")
    )
    crops = np.random.default_rng(0).normal(size=(64, 3, *SIZE)).astype(np.float32)
    to_int8(exact, rounded, crops)
    words = {"device": "cpu", "runtime": "openvino", "precision": "fp32"}
    found = [load_pose_estimator(str(path), **words).network for path in (network, exact)]
    found.append(load_pose_estimator(str(rounded), device="cpu").network)
    assert found[2].precision == "int8"
    first, second, third = (np.asarray(one(crops[:8])).ravel() for one in found)
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert np.corrcoef(first, third)[0, 1] > 0.95


@pytest.mark.parametrize("head", HEADS)
def test_heads_answer_at_a_quarter_of_the_crop(head):
    with torch.device("cpu"), torch.inference_mode():
        maps = TimmPose(backbone="test_resnet", head=head, input_size=(64, 48), num_keypoints=5).eval()(
            torch.zeros(2, 3, 64, 48)
        )
    assert maps.shape == (2, 5, 16, 12)


def test_the_backbone_gets_its_own_normalisation():
    network = TimmPose(backbone="test_vit", head="simple", input_size=(32, 32)).eval()  # learnt with 0.5 and 0.5
    seen = []
    network.backbone.register_forward_pre_hook(lambda _, images: seen.append(images[0]))
    grey = (0.5 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    with torch.inference_mode():
        network(grey[None, :, None, None].expand(1, 3, 32, 32))
    torch.testing.assert_close(seen[0], torch.zeros(1, 3, 32, 32), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": "test_vitt"}, r"has no backbone 'test_vitt'. Did you mean test_vit"),
        ({"head": "nonsense"}, "The head 'nonsense' is unknown; choose one of classic, simple"),
        ({"head": "bundled"}, "needs features at strides 4, 8 and 16, but test_vit has them at 16"),
        ({"input_size": (100, 96)}, r"network.input_size is \[100, 96\]|cannot build test_vit"),
    ],
)
def test_mistakes_are_reported(change, message):
    network = dataclasses.replace(Network(variant="timm", backbone="test_vit", input_size=(64, 48)), **change)
    with pytest.raises(UsageError, match=message):
        build(Recipe(network=network, loss="vitpose", epochs=1, batch=8))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["network.backbone="], "network.backbone and network.variant"),
        (["optim.groups=layer_decay"], "layer_decay' is for ViTPose"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(overrides, message):
    with pytest.raises(UsageError, match=message):
        read("timm", overrides)
    with pytest.raises(UsageError, match=r"network.backbone and network\.variant"):
        read("vitpose-s", ["network.backbone=test_vit"])


def test_pretrained_weights_come_from_a_file_and_a_wrong_one_is_named(tmp_path, monkeypatch):
    import timm

    donor = timm.create_model("test_resnet")
    torch.save(donor.state_dict(), tmp_path / "donor.pth")
    network = TimmPose(backbone="test_resnet", input_size=SIZE, pretrained=str(tmp_path / "donor.pth"))
    torch.testing.assert_close(network.backbone.conv1[0].weight, donor.conv1[0].weight)
    with pytest.raises(
        ModelError, match=r"Cannot load pre-trained weights into test_resnet: .*Check network.pretrained"
    ):
        TimmPose(backbone="test_resnet", input_size=SIZE, pretrained=str(tmp_path / "none.pth"))
    monkeypatch.setenv("POSETRACK_OFFLINE", "1")
    with pytest.raises(ModelError, match="posetrack is offline, so timm cannot download"):
        TimmPose(backbone="test_resnet", input_size=SIZE, pretrained="timm")


def test_a_file_of_an_unknown_backbone_is_reported(tmp_path):
    from safetensors.torch import save_file

    notes = {"family": "TimmPose", "input_size": "96x128", "backbone": "not_there", "head": "simple", "keypoints": "17"}
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors", metadata=notes)
    with pytest.raises(ModelError, match=r"Cannot build the network of .*has no backbone 'not_there'"):
        weights.load_checkpoint(tmp_path / "model.safetensors")
