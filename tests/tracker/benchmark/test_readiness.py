"""Each start is a new process that reports its time and memory."""

from posetrack.tracker.benchmark import readiness


def test_first_starts_have_an_empty_cache_and_later_ones_have_turns(tmp_path, monkeypatch):
    began = []

    def measure(chain, detector, pose, *, cache=None):
        began.append((chain, detector, cache))
        seconds = 9.0 if (chain, detector, cache) not in began[:-1] else 1.0
        return {"ready": seconds, "memory": 100.0, "private": 50.0}

    monkeypatch.setattr(readiness, "measure", measure)
    output = readiness.starts("yolo.pt", "vit.safetensors", folder=tmp_path, rounds=2)
    assert list(output) == [
        "plain chain", "same networks", "bundled", "same networks, first start", "bundled, first start",
    ]  # fmt: skip
    assert output["bundled"] == {"ready": 1.0, "memory": 100.0, "private": 50.0}
    assert output["bundled, first start"]["ready"] == 9.0
    assert [chain for chain, *_ in began] == ["ours", "ours", *["plain", "ours", "ours"] * 2]
    caches = {detector: cache for chain, detector, cache in began if chain == "ours"}
    assert caches["bundled"] != caches["yolo.pt"]


def test_a_start_reports_time_and_memory():
    output = readiness.measure("ours", "bundled", "bundled")
    assert output["ready"] > 0
    assert 0 < output["private"] <= output["memory"]
