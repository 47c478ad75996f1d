import json

import pytest

from posetrack.models.networks.yolo import build
from posetrack.models.weights.card import KEY, from_text
from posetrack.models.weights.detectors import save
from posetrack.tracker.cli import main
from posetrack.tracker.perception import quantization


def test_a_pose_network_comes_back_as_a_model(tmp_path, capsys):
    pytest.importorskip("openvino", reason="needs openvino")
    from posetrack.tracker.perception.runtimes.openvino import read_card

    target = tmp_path / "net.xml"
    assert main(["export", "bundled", "--to", "openvino", "--half", "--out", str(target)]) == 0
    assert {"net.xml", "net.bin"} == {file.name for file in tmp_path.iterdir()}
    assert "net.bin" in capsys.readouterr().out
    card = from_text(read_card(target))
    assert (card.input_size, card.processing, card.skeleton, len(card.sha256)) == ((256, 192), "udp_shrunk", "coco", 64)


@pytest.mark.filterwarnings("ignore:.torch.jit.:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated")
def test_a_detector_as_torchscript(tmp_path):
    import torch

    weights = tmp_path / "tiny.safetensors"
    save(build(), weights, size=96)
    target = tmp_path / "tiny.torchscript"
    assert main(["export", "--detector", str(weights), "--to", "torchscript", "--out", str(target)]) == 0
    files = {KEY: ""}
    network = torch.jit.load(target, _extra_files=files)
    assert json.loads(files[KEY])["size"] == 96
    for size in ((64, 96), (96, 160)):  # no size of the tracing is left in it
        assert network(torch.zeros(1, 3, *size)).shape[1] == 5


@pytest.mark.slow
def test_int8_passes_its_gate_and_is_taken_from_then_on(tmp_path, capsys, monkeypatch):
    pytest.importorskip("nncf", reason="needs nncf")
    from posetrack.tracker.perception.pose import load_pose_estimator
    from posetrack.tracker.perception.runtimes import load, machine
    from posetrack.tracker.video.sample import make_sample

    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quantization, "ms_per_crop", lambda networks, crops: [4.0, 5.0])
    target = tmp_path / "net.xml"
    clip = make_sample(tmp_path / "people.mp4", seconds=4, fps=10)  # fewer images are too few to round by
    words = ["export", "bundled", "--to", "openvino", "--int8", "--calibrate", str(clip)]
    assert main([*words, "--out", str(target)]) == 0
    message = capsys.readouterr().out
    assert "int8 agrees with fp32: OKS 0.9" in message
    assert "A crop takes 4.0 ms, and 5.0 in " in message
    assert "--runtime auto takes it where the processor has VNNI" in message
    assert target.with_suffix(".bin").stat().st_size < 8e6  # 19 MB in fp32
    assert {file.name for file in tmp_path.iterdir()} == {"cache", "people.mp4", "net.xml", "net.bin"}

    monkeypatch.setattr(load, "this_machine", lambda: machine.Machine(flags=frozenset({"avx512_vnni"})))
    assert load_pose_estimator("bundled", device="cpu").network.precision == "int8"
    network = load_pose_estimator(str(target), device="cpu").network
    assert (network.precision, network.reason) == ("int8", "the file is in int8")

    monkeypatch.setattr(quantization, "ms_per_crop", lambda networks, crops: [5.0, 5.0])
    assert main([*words, "--out", str(target), "--overwrite"]) == 0
    assert "--runtime auto stays with " in capsys.readouterr().out
    assert load_pose_estimator("bundled", device="cpu").network.precision != "int8"
    assert load_pose_estimator(str(target), device="cpu").network.precision == "int8"  # asked for by its name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--detector", "bundled", "--int8"], "--int8 is for pose networks"),
        (["bundled", "--int8", "--half"], "--int8 is for pose networks"),
        (["bundled", "--calibrate", "video.mp4"], "--calibrate is for --int8"),
    ],
)
def test_wrong_requests_of_int8(words, sentence, capsys):
    assert main(["export", *words, "--to", "openvino"]) == 2
    assert sentence in capsys.readouterr().err


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
