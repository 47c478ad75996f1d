"""What the tracker's benchmark measures; how fast anything is, is not tested."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posetrack.tracker.benchmark import trackers
from posetrack.tracker.cli import main
from posetrack.tracker.tracking.tracker import PoseTracker

ROOT = Path(__file__).parents[3]


def test_the_crowd_has_births_and_deaths_and_one_size():
    scene = trackers.coming_and_going(7, 90)
    assert (scene.visible.sum(1) == 7).all()
    assert not scene.visible[0, 8:].any()
    assert scene.visible[-1, 7:].all()
    tracker = PoseTracker()
    ids = [tracker.update(poses, time).ids for time, poses, _ in scene.frames(noise=0.01, misses=0.05)]
    assert 12 <= len(np.unique(np.concatenate(ids))) <= 14  # of the 14, one is there in the last frame only


def test_the_filters_equal_filterpy():
    figures = trackers.measure_kalman(3, steps=20)
    assert figures["difference"] < 1e-5
    assert figures["filterpy"]["median"] > 0


def test_every_tracker_gets_every_frame_once_and_in_order():
    seen = {"ours": [], "theirs": []}
    figures = trackers._in_turns({name: frames.append for name, frames in seen.items()}, frames=25, warmup=3)
    assert seen["ours"] == seen["theirs"] == list(range(28))
    assert figures["ours"]["ratio"] == 1


def test_one_core_is_given_back():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system has no affinity")
    before = os.sched_getaffinity(0)
    with trackers.one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_peers_that_are_not_installed_are_named(monkeypatch, tmp_path, capsys):
    def absent(frames):
        raise ImportError

    monkeypatch.setitem(trackers.PEERS, "sort", (absent, "trackers"))
    target = tmp_path / "figures.json"
    words = ["bench", "tracker", "--people", "2", "--frames", "6", "--warmup", "2", "--against", "sort", "filterpy"]
    assert main([*words, "--json", str(target)]) == 0
    assert "pip install 'posetrack[bench]'" in capsys.readouterr().out
    figures = json.loads(target.read_text())
    assert set(figures["people"]["2"]) == {"posetrack"}
    assert set(figures["kalman"]["2"]) == {"posetrack", "filterpy", "difference"}


@pytest.mark.slow
def test_ten_thousand_frames_leave_nothing_behind(tmp_path):
    target = tmp_path / "figures.json"
    command = [
        sys.executable,
        "-m",
        "posetrack",
        "bench",
        "endurance",
        "--frames",
        "10000",
        "--json",
        target,
    ]  # alone in its process
    message = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "10000 frames of 5 people" in message
    figures = json.loads(target.read_text())
    assert figures["ids"] > 200
    assert figures["last"]["tracks"] <= 2 * 5  # who is or was just there, however many have been


@pytest.mark.parametrize("name", trackers.PEERS)
def test_a_peer_that_is_installed_takes_the_frames(name):
    peer, package = trackers.PEERS[name]
    pytest.importorskip(package, reason=f"needs {package}")
    frames = [poses for _, poses, _ in trackers.coming_and_going(3, 8).frames(misses=0.2)]
    update = peer(frames)
    for index in range(len(frames)):
        update(index)
