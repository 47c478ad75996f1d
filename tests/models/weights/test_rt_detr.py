"""RT-DETR and RF-DETR as --detector: recognised by their configuration, equal to transformers' own chain."""

import importlib.util
import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from posetrack.errors import ModelError, UsageError
from posetrack.models.weights import hub, rt_detr
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.types import Frame

transformers = pytest.importorskip("transformers", reason="needs transformers")
SIZE = 128
LABELS = {0: "bicycle", 1: "person", 2: "car"}


@pytest.fixture(scope="module")
def photograph():
    folder = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets"
    return cv2.imread(str(folder / "bus.jpg"))


def rf_detr():
    backbone = {"model_type": "rf_detr_dinov2", "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
    backbone |= {"image_size": SIZE, "patch_size": 16, "num_windows": 2, "out_indices": [2, 4]}
    return transformers.RfDetrConfig(
        backbone_config=backbone,
        d_model=32,
        decoder_ffn_dim=64,
        decoder_layers=2,
        num_queries=20,
        group_detr=2,
        decoder_self_attention_heads=4,
        decoder_cross_attention_heads=4,
        decoder_n_points=2,
        id2label=LABELS,
    )


def rt_detr_config(family):
    backbone = {"model_type": "rt_detr_resnet", "embedding_size": 16, "hidden_sizes": [16, 32, 64, 64]}
    backbone |= {"depths": [1, 1, 1, 1], "layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"]}
    return getattr(transformers, f"{family}Config")(
        backbone_config=backbone,
        encoder_in_channels=[32, 64, 64],
        encoder_hidden_dim=32,
        encoder_ffn_dim=64,
        d_model=32,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=64,
        decoder_layers=2,
        num_queries=30,
        num_denoising=0,
        id2label=LABELS,
    )


def save(folder, family="RTDetr"):
    """Write a small network of random weights as transformers does."""
    torch.manual_seed(0)
    config = rf_detr() if family == "RfDetr" else rt_detr_config(family)
    network = getattr(transformers, f"{family}ForObjectDetection")(config).eval()
    with torch.no_grad():
        for name, module in network.named_modules():  # with fresh weights all places score alike
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight)
            if isinstance(module, torch.nn.Linear):
                module.weight.normal_(0, 0.1)
                if "enc_score_head" in name or "class_embed" in name:
                    module.bias[1] += 2  # people
    network.save_pretrained(folder)
    processor = getattr(transformers, f"{family.removesuffix('V2')}ImageProcessor")
    processor(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    return network


@pytest.fixture(scope="module", params=["RTDetr", "RTDetrV2", "RfDetr"])
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return save(folder, request.param), folder


@pytest.mark.parametrize("runtime", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_people_are_those_of_transformers_own_chain(saved, runtime, photograph):
    network, folder = saved
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    images = processor(images=np.ascontiguousarray(photograph[..., ::-1]), return_tensors="pt")
    with torch.no_grad():
        message = network(**images)
    height, width = photograph.shape[:2]
    (expected,) = processor.post_process_object_detection(message, threshold=0.0, target_sizes=[(height, width)])
    people = expected["labels"] == 1
    boxes = np.clip(expected["boxes"][people].numpy(), 0, [width, height, width, height])[:5]
    scores = expected["scores"][people].numpy()[:5]
    found = load_detector(folder, device="cpu", runtime=runtime, precision="fp32", conf=0.0)(Frame(photograph, 0, 0.0))
    nearest = np.abs(found.boxes[None] - boxes[:, None]).max(-1).argmin(1)  # scores may tie
    assert len(set(nearest)) == len(boxes) == 5
    smooth = "RfDetr" not in type(network).__name__  # RF-DETR resizes in floating point, here in whole levels
    np.testing.assert_allclose(found.boxes[nearest], boxes, atol=0.1 if smooth else 0.3)
    np.testing.assert_allclose(found.scores[nearest], scores, atol=2e-4 if smooth else 1e-3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    save(folder)
    return folder


def changed(folder, tmp_path, **values):
    """Return a copy of a saved network with another configuration."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    message = json.loads((tmp_path / hub.CONFIG).read_text())
    (tmp_path / hub.CONFIG).write_text(json.dumps(message | values))
    return tmp_path / hub.WEIGHTS


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"decoder_layers": 10**9}, "states 1000000000"),
        ({"num_queries": 4000, "d_model": 4096, "encoder_ffn_dim": 4096}, "Cannot load the detector"),
        ({"decoder_layers": 3}, "weights are missing"),
        ({"backbone": "resnet50", "backbone_config": None, "use_timm_backbone": True}, "its backbone is none of"),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "no class 'person'"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(values, sentence, folder, tmp_path):
    with pytest.raises(ModelError, match=sentence):
        rt_detr.load(changed(folder, tmp_path, **values))


@pytest.mark.slow
def test_the_example_prints_every_keypoint(folder, monkeypatch, capsys):
    assets = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets"
    example = Path(__file__).parents[3] / "examples" / "rtdetr_vitpose.py"
    monkeypatch.setattr("sys.argv", [str(example), str(assets / "bus.jpg"), str(folder), "bundled"])
    runpy.run_path(str(example))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Person #0"
    assert lines[1].startswith(" - nose: x=")
    assert len(lines) % 18 == 0


def test_it_takes_its_own_size_only(folder):
    with pytest.raises(UsageError, match="takes 128 pixels only"):
        load_detector(folder, device="cpu", runtime="torch", size=256)


def test_what_is_on_the_hub_is_looked_for_offline_in_its_cache_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="neither a file nor in the cache of the hub"):
        load_detector("nobody/rtdetr", device="cpu", runtime="torch", offline=True)
