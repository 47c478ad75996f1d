"""What the benchmark of the steps around the networks measures; how fast anything is, is not tested."""

import json

import cv2
import numpy as np
import pytest

from posetrack.models.geometry import heatmap
from posetrack.tracker.benchmark import steps
from posetrack.tracker.cli import main


def absent(scene):
    raise ImportError


def test_all_people_are_in_the_image_and_have_a_pose():
    scene = steps.make_scene(20)
    assert len(scene.poses) == len(scene.heatmaps) == 20
    assert (scene.poses.boxes.min(0)[:2] >= 0).all()
    assert (scene.poses.boxes.max(0)[2:] <= scene.image.shape[1::-1]).all()
    assert (heatmap.decode(scene.heatmaps)[1] > 0.15).all()


def test_the_reference_is_found_by_other_means():
    maps = steps.make_scene(2).heatmaps
    np.testing.assert_allclose(steps.whole_map_decode(maps), heatmap.decode(maps)[0], atol=1e-5)


def test_everyone_gets_as_many_calls_in_blocks():
    calls = []
    programs = {name: lambda name=name: calls.append(name) for name in ("posetrack", "peer")}
    figures = steps._in_turns(programs, rounds=12, warmup=3)
    assert calls == ["posetrack"] * 10 + ["peer"] * 10 + ["posetrack"] * 5 + ["peer"] * 5
    assert figures["posetrack"]["ratio"] == 1


def test_threads_are_given_back():
    before = cv2.getNumThreads()
    with steps._one_thread():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before


def test_what_is_not_installed_is_named(monkeypatch, tmp_path, capsys):
    stages = {name: (ours, package, absent) for name, (ours, package, _) in steps.STAGES.items()}
    monkeypatch.setattr(steps, "STAGES", stages)
    target = tmp_path / "figures.json"
    words = ["bench", "stages", "--people", "2", "--frames", "3", "--warmup", "1", "--json", str(target)]
    assert main(words) == 0
    output = capsys.readouterr().out
    assert "transformers" in output
    assert "supervision" in output
    assert "pip install 'posetrack[bench]'" in output
    figures = json.loads(target.read_text())
    assert set(figures["people"]["2"]) == {"crop + DARK", "DARK", "overlay"}
    assert set(figures["people"]["2"]["DARK"]) == {"posetrack"}
    assert figures["difference"] < 1e-5


@pytest.mark.parametrize("stage", steps.STAGES)
def test_peers_that_are_installed_take_the_scene(stage):
    _, package, theirs = steps.STAGES[stage]
    pytest.importorskip(package, reason=f"needs {package}")
    theirs(steps.make_scene(2))()
