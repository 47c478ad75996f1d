import pytest
import torch

from posetrack.models.convvit import ConvViT
from posetrack.models.weights import load_checkpoint
from posetrack.models.zoo import ZOO
from posetrack.tracker.cli import main


def test_every_network_is_listed(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    for name in ZOO:
        assert f" {name} " in listed


def test_info_tells_where_the_weights_are(capsys):
    assert main(["models", "info", "vitpose-b"]) == 0
    told = capsys.readouterr().out
    assert "usyd-community/vitpose-base" in told
    assert "90.0 M" in told


def test_the_bundled_network_is_already_here(capsys):
    assert main(["models", "download", "bundled", "--offline"]) == 0
    path, digest = capsys.readouterr().out.splitlines()
    assert load_checkpoint(path).input_size == (192, 144)
    assert len(digest.removeprefix("sha256 ")) == 64


@pytest.mark.parametrize(("words", "code"), [(("info", "vitpos-b"), 2), (("download", "vitpose-b", "--offline"), 1)])
def test_what_cannot_be_had_is_a_sentence(words, code, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert main(["models", *words]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_a_checkpoint_is_converted_and_loads_the_same(tmp_path, capsys):
    network = ConvViT(input_size=(32, 32), widths=(8, 8, 32), convs=(1, 1), depth=1).eval()
    source, target = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, source)
    assert main(["models", "convert", str(source), str(target)]) == 0
    images = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(load_checkpoint(target)(images), network(images))
    assert main(["models", "convert", str(source), str(target)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main(["models", "convert", str(source), str(tmp_path / "out.bin")]) == 2
