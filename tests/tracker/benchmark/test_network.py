"""What the benchmark of a network measures; how fast anything is, is not tested."""

import json

import pytest

from posetrack.models.weights.locate import variant
from posetrack.tracker.benchmark.network import _in_turns
from posetrack.tracker.cli import main


def test_work_is_done_in_turns_and_the_first_one_does_not_count():
    did = []
    times = _in_turns({"a": lambda: did.append("a"), "b": lambda: did.append("b")}, rounds=3)
    assert did == ["a", "b"] * 4
    assert all(seconds > 0 for seconds in times.values())


@pytest.mark.slow
def test_the_share_follows_from_the_networks_own_operations(tmp_path, monkeypatch, capsys):
    cache, target = tmp_path / "cache", tmp_path / "network.json"
    monkeypatch.setenv("POSETRACK_CACHE", str(cache))
    words = ["bench", "network", "--people", "1", "3", "--rounds", "1", "--device", "cpu", "--json", str(target)]
    assert main(words) == 0
    assert "GFLOP/s" in capsys.readouterr().out
    figures = json.loads(target.read_text())
    assert figures["network"].startswith("bundled: ")
    assert list(figures["batches"]) == ["1", "3"]
    for count, values in figures["batches"].items():
        assert values["crops"] == pytest.approx(1000 * int(count) / values["median"])
        assert values["share"] == pytest.approx(2 * variant("bundled").gmacs * values["crops"] / figures["peak"])
        assert values["cut"].keys() == {"processor"}  # OpenVINO takes arrays
    assert not cache.exists()  # networks of random weights leave nothing behind


def test_an_unknown_network_is_a_sentence(capsys):
    assert main(["bench", "network", "--model", "vitpose-xl"]) == 2
    assert "neither a file nor a known name" in capsys.readouterr().err
