"""Each start is a process of its own that tells what it took."""

from posetrack.tracker.benchmark import readiness


def test_first_starts_have_an_empty_cache_and_later_ones_have_turns(tmp_path, monkeypatch):
    began = []

    def measure(chain, detector, pose, *, cache=None):
        began.append((chain, detector, cache))
        seconds = 9.0 if (chain, detector, cache) not in began[:-1] else 1.0
        return {"ready": seconds, "memory": 100.0, "private": 50.0}

    monkeypatch.setattr(readiness, "measure", measure)
    told = readiness.starts("yolo.pt", "vit.safetensors", folder=tmp_path, rounds=2)
    assert list(told) == [
        "plain chain", "same networks", "bundled", "same networks, first start", "bundled, first start",
    ]  # fmt: skip
    assert told["bundled"] == {"ready": 1.0, "memory": 100.0, "private": 50.0}
    assert told["bundled, first start"]["ready"] == 9.0
    assert [chain for chain, *_ in began] == ["ours", "ours", *["plain", "ours", "ours"] * 2]
    caches = {detector: cache for chain, detector, cache in began if chain == "ours"}
    assert caches["bundled"] != caches["yolo.pt"]


def test_a_start_of_ours_tells_when_it_is_ready_and_what_it_holds():
    told = readiness.measure("ours", "bundled", "bundled")
    assert told["ready"] > 0
    assert 0 < told["private"] <= told["memory"]
