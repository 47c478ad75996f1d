"""Each start is a new process that reports its time and memory."""

import pytest

from posetrack.tracker.benchmark import startup


def test_first_starts_have_an_empty_cache_and_later_ones_have_turns(tmp_path, monkeypatch):
    began = []

    def measure(pipeline, detector, pose, *, cache=None):
        began.append((pipeline, detector, cache))
        seconds = 9.0 if (pipeline, detector, cache) not in began[:-1] else 1.0
        return {"ready": seconds, "memory": 100.0, "private": 50.0}

    monkeypatch.setattr(startup, "measure", measure)
    output = startup.starts("yolo.pt", "vit.safetensors", folder=tmp_path, rounds=2)
    assert list(output) == [
        "naive pipeline", "same networks", "bundled", "same networks, first start", "bundled, first start",
    ]  # fmt: skip
    assert output["bundled"] == {"ready": 1.0, "memory": 100.0, "private": 50.0}
    assert output["bundled, first start"]["ready"] == 9.0
    assert [pipeline for pipeline, *_ in began] == ["ours", "ours", *["naive", "ours", "ours"] * 2]
    caches = {detector: cache for pipeline, detector, cache in began if pipeline == "ours"}
    assert caches["bundled"] != caches["yolo.pt"]


@pytest.mark.slow
def test_a_start_reports_time_and_memory():
    output = startup.measure("ours", "bundled", "bundled")
    assert output["ready"] > 0
    assert 0 < output["private"] <= output["memory"]
