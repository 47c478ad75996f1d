"""What the benchmark of a GPU measures, with the processor in its place; how fast anything is, is not tested."""

import json

import pytest

from posetrack.tracker.benchmark.gpu import compare_crops, compare_keypoints
from posetrack.tracker.cli import main


@pytest.mark.slow
def test_crops_are_within_a_grey_level_and_keypoints_within_a_thousandth_of_the_height():
    crops = compare_crops("cpu")
    assert crops.keys() == {"bilinear", "halved"}
    assert all(0 < own["mean"] <= own["worst"] < 1 for own in crops.values())
    keypoints = compare_keypoints("cpu")
    assert keypoints["fp32 (fp32), crops on the processor"]["most"] == 0
    own = keypoints["fp32 (fp32), crops on the device"]
    assert 0 < own["median"] < 0.1
    assert own["keypoints"] > 50  # of five people


@pytest.mark.slow
def test_networks_and_runs_are_measured_with_crops_cut_on_either(tmp_path, monkeypatch, capsys):
    cache, target = tmp_path / "cache", tmp_path / "gpu.json"
    monkeypatch.setenv("POSETRACK_CACHE", str(cache))
    words = ["bench", "gpu", "--device", "cpu", "--model", "convvit", "--batches", "1", "2", "--rounds", "1"]
    assert main([*words, "--people", "2", "--frames", "3", "--warmup", "1", "--json", str(target)]) == 0
    assert "2 people at 1920 x 1080" in capsys.readouterr().out
    figures = json.loads(target.read_text())
    assert figures["device"] == "cpu"
    assert [own["network"].split(" on ")[0] for own in figures["throughput"]] == [
        f"{name}: torch {precision}" for name in ("convvit", "bundled") for precision in ("fp32", "bf16")
    ]
    for own in figures["throughput"]:
        assert own["batches"].keys() == {"1", "2"}
        assert all(values["cut"].keys() == {"processor", "device"} for values in own["batches"].values())
    assert figures["runs"].keys() == {"convvit", "bundled"}
    for own in figures["runs"].values():
        for run in own["2"].values():
            assert run["p95"] >= run["median"] > 0
            assert run["fps"] > 0


def test_numbers_and_devices_that_cannot_be_are_sentences(capsys):
    assert main(["bench", "gpu", "--batches", "4", "0"]) == 2
    assert "--batches is 4 0; give 1 or more." in capsys.readouterr().err
    assert main(["bench", "gpu", "--device", "gpu"]) == 2
    assert "Device 'gpu' is not known" in capsys.readouterr().err
