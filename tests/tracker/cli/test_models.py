import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from posetrack.models import weights
from posetrack.models.foreign.families import FAMILIES
from posetrack.models.networks.convvit import ConvViT
from posetrack.models.networks.potr import POTR
from posetrack.models.networks.xcit import XCiT
from posetrack.models.weights.checkpoint import load_checkpoint
from posetrack.models.weights.variants import ZOO
from posetrack.tracker.cli import main
from tests import foreign_networks as networks


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and no other program's."""
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


def test_every_network_is_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    for name in ZOO:
        assert f"\n{name} " in listed


def test_the_list_says_how_its_figures_were_measured(capsys):
    assert main(["models"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    assert "name family input params GMACs AP licence cached" in listed
    assert "vitpose-b ViTPose 192x256 90.0 M 18.5 75.8 Apache-2.0 no" in listed
    assert "multiply-accumulate operations per person" in listed
    assert "COCO val2017" in listed


def test_detectors_are_listed_too(capsys):
    assert main(["models"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    assert "convvit (bundled) ConvViT" in listed
    assert "bundled YOLOv8, people only 336 3.1 M 1.2 see card AGPL-3.0 yes" in listed
    assert "yolo11n.pt YOLO11 640 2.6 M 3.3 39.5 AGPL-3.0 no" in listed
    assert "PekingU/rtdetr_r50vd RT-DETR 640 42.0 M 68.0 53.1 Apache-2.0 no" in listed


def test_the_lists_are_written_as_json(capsys, tmp_path):
    assert main(["models", "--json", str(tmp_path / "lists.json")]) == 0
    lists = json.loads((tmp_path / "lists.json").read_text())
    assert [row["name"] for row in lists["model"]][1:] == list(ZOO)[1:]
    assert lists["detector"][0]["name"] == "bundled"
    assert [row["family"] for row in lists["onnx"]] == [family.name for family in FAMILIES]


def test_info_of_the_bundled_pair_is_true(capsys):
    assert main(["models", "info", "bundled"]) == 0
    pose, detector = (block.splitlines() for block in capsys.readouterr().out.split("network     ")[1:])
    assert pose[0] == "pose network"
    assert detector[0] == "person detector"
    for lines in (pose, detector):
        facts = dict(line.split(maxsplit=1) for line in lines[1:])
        assert "protocol" not in facts  # its figures are those of the card
        assert "# The bundled models" in Path(facts["card"]).read_text(encoding="utf-8")
        with safe_open(facts["file"], framework="pt") as file:
            counts = [math.prod(file.get_slice(key).get_shape()) for key in file.keys()]  # noqa: SIM118
        assert f"{sum(counts) / 1e6:.1f} M" == facts["params"]


def test_info_shows_where_a_detector_belongs(capsys, cache):
    assert main(["models", "info", "yolo11n.pt"]) == 0
    assert str(cache / "ultralytics" / "yolo11n.pt") in capsys.readouterr().out


def test_info_shows_where_the_weights_are(capsys):
    assert main(["models", "info", "vitpose-b"]) == 0
    message = capsys.readouterr().out
    assert "usyd-community/vitpose-base/resolve/95be2991424e646950d656bb7fc15ec9be119700/model.safetensors" in message
    assert ZOO["vitpose-b"].sha256 in message
    assert "90.0 M" in message


def test_info_shows_where_to_put_weights_that_are_on_a_page_only(capsys, cache):
    assert main(["models", "info", "potr-resnet50"]) == 0
    message = capsys.readouterr().out
    assert "https://github.com/padeler/PE-former" in message
    assert str(cache / "potr-resnet50.pth") in message
    assert main(["models", "download", "potr-resnet50"]) == 1
    assert str(cache / "potr-resnet50.pth") in capsys.readouterr().err


def test_the_bundled_network_is_already_here(capsys):
    assert main(["models", "download", "bundled", "--offline"]) == 0
    path, digest = capsys.readouterr().out.splitlines()
    assert load_checkpoint(path).input_size == (256, 192)
    assert len(digest.removeprefix("sha256 ")) == 64


@pytest.mark.parametrize(("words", "code"), [(("info", "vitpos-b"), 2), (("download", "vitpose-b", "--offline"), 1)])
def test_what_cannot_be_had_is_a_sentence(words, code, capsys):
    assert main(["models", *words]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_a_checkpoint_is_converted_and_loads_the_same(tmp_path, capsys):
    network = ConvViT(input_size=(32, 32), backbone_width=0.0625, width=32, depth=1, decoder=(8, 8)).eval()
    source, target = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, source)
    assert main(["models", "convert", str(source), "--out", str(target)]) == 0
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(load_checkpoint(target)(images), network(images))
    assert main(["models", "convert", str(source), "--out", str(target)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main(["models", "convert", str(source), "--out", str(tmp_path / "out.bin")]) == 2


def test_a_converted_file_knows_what_its_weights_cannot_tell(tmp_path):
    network = POTR(encoder=XCiT(patch=16, depth=1, input_size=(128, 96)), activation="relu", depth=1)
    source, target = tmp_path / "last.ckpt", tmp_path / "potr.safetensors"
    state = {f"vitdetr.{key}": value for key, value in network.state_dict().items()}
    torch.save({"state_dict": state, "hyper_parameters": {"input_size": [96, 128], "activation": "relu"}}, source)
    assert main(["models", "convert", str(source), "--out", str(target)]) == 0
    with safe_open(target, framework="pt") as file:
        assert file.metadata() == {"family": "POTR", "input_size": "96x128", "activation": "relu"}
    loaded = load_checkpoint(target)
    assert (loaded.input_size, loaded.activation) == ((128, 96), "relu")


@pytest.mark.slow
def test_a_name_is_converted_with_its_input_size(tmp_path, cache):
    cache.mkdir()
    torch.save(ZOO["potr-xcit-s12-p16"].build().state_dict(), cache / "potr-xcit-s12-p16-288x384.pth")
    target = tmp_path / "potr.safetensors"
    assert main(["models", "convert", "potr-xcit-s12-p16-288x384", "--out", str(target)]) == 0
    assert load_checkpoint(target).input_size == (384, 288)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("yolo11n.pt", "downloads are off"), ("PekingU/rtdetr_r50vd", "neither a file nor in the cache of the hub")],
)
def test_detectors_are_downloaded_by_the_same_command(name, sentence, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["models", "download", name, "--offline"]) == 1
    assert sentence in capsys.readouterr().err


def test_families_of_files_are_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["models"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    for family in FAMILIES:
        assert f"{family.name} {family.task} {family.flag} {family.exporter}" in listed


def test_info_recognises_an_onnx_file(tmp_path, capsys):
    pytest.importorskip("onnx", reason="needs onnx")
    path = networks.write_simcc(tmp_path / "network.onnx", 26, (64, 48))
    assert main(["models", "info", str(path)]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts | {"network": "pose", "option": "--model", "family": "RTMPose", "input": "48x64"} == facts
    assert facts["keypoints"] == "26, halpe26"


@pytest.mark.parametrize(("name", "kind", "family"), [("pose", "pose", "ConvViT"), ("detector", "detector", "YOLO")])
def test_info_recognises_weights(name, kind, family, capsys):
    path = Path(weights.__file__).parent / "bundled" / f"{name}.safetensors"
    assert main(["models", "info", str(path)]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (facts["network"], facts["family"]) == (kind, family)


def test_info_of_another_file_says_so(tmp_path, capsys):
    (tmp_path / "notes.pth").write_text("hello")
    assert main(["models", "info", str(tmp_path / "notes.pth")]) == 1
    assert "not a readable weights file" in capsys.readouterr().err
