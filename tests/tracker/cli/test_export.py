import json

import pytest

from posetrack.models.card import KEY, from_text
from posetrack.models.yolo import build, save
from posetrack.tracker.cli import main


def test_a_pose_network_comes_back_as_a_model(tmp_path, capsys):
    pytest.importorskip("openvino", reason="needs openvino")
    from posetrack.tracker.perception.runtimes.openvino import read_card

    target = tmp_path / "net.xml"
    assert main(["export", "bundled", "--to", "openvino", "--half", "--out", str(target)]) == 0
    assert {"net.xml", "net.bin"} == {file.name for file in tmp_path.iterdir()}
    assert "net.bin" in capsys.readouterr().out
    card = from_text(read_card(target))
    assert (card.input_size, card.processing, card.skeleton, len(card.sha256)) == ((192, 144), "udp", "coco", 64)


@pytest.mark.filterwarnings("ignore:.torch.jit.:DeprecationWarning")
def test_a_detector_as_torchscript(tmp_path):
    import torch

    weights = tmp_path / "tiny.safetensors"
    save(build(width=0.125, depth=0.33), weights, size=96)
    target = tmp_path / "tiny.torchscript"
    assert main(["export", "--detector", str(weights), "--to", "torchscript", "--out", str(target)]) == 0
    files = {KEY: ""}
    network = torch.jit.load(target, _extra_files=files)
    assert json.loads(files[KEY])["size"] == 96
    for size in ((64, 96), (96, 160)):  # no size of the tracing is left in it
        assert network(torch.zeros(1, 3, *size)).shape[1] == 5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Give one network"),
        (["bundled", "--detector", "bundled"], "Give one network"),
        (["bundled", "--out", "net.onnx"], "'net.onnx' does not end in .xml"),
        (["vitpose-xl"], "neither a file nor a known name"),
    ],
)
def test_wrong_requests(words, sentence, capsys):
    assert main(["export", *words, "--to", "openvino"]) == 2
    assert sentence in capsys.readouterr().err


def test_existing_files_are_kept(tmp_path, capsys):
    (tmp_path / "net.bin").write_text("mine")
    assert main(["export", "bundled", "--to", "openvino", "--out", str(tmp_path / "net.xml")]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "net.bin").read_text() == "mine"
