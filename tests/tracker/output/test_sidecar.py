import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from posetrack.errors import OutputError
from posetrack.models.cache import sha256
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.formats.table import columns
from posetrack.tracker.output.sidecar import Counts, NetworkFacts, RunFacts, write_sidecar
from posetrack.tracker.partial import sidecar_path

FACTS = RunFacts(
    skeleton=COCO,
    source="rtsp://cam/1",
    size=(640, 480),
    fps=29.97,
    model=NetworkFacts("vit", "ab" * 32, "openvino bf16 on cpu"),
    detector=NetworkFacts("boxes.json"),
    device="cpu",
    config={"conf": 0.3, "save": Path("a.mp4")},
    counts=Counts(read=10, dropped=2, failed=1),
    analysed=datetime(2026, 5, 3, 11, 30, 2, 990_000, UTC),
    complete=True,
    gaps=[{"from_s": 1.0, "to_s": 3.5, "seconds": 2.5}],
    started=datetime(2026, 5, 3, 10, 30, 2, 250_000, UTC),
    latency_ms={"median": 40.0, "p95": 60.0},
)


def test_what_a_sidecar_says(tmp_path):
    path = write_sidecar(tmp_path / "out.csv", FACTS)
    assert path == tmp_path / "out.csv.json"
    document = json.loads(path.read_text())
    assert document["complete"] is True
    assert document["source"] == "rtsp://cam/1"
    assert document["size"] == {"width": 640, "height": 480}
    assert document["fps"] == 29.97
    assert document["frames"] == {"read": 10, "dropped": 2, "failed": 1, "last": None}
    assert document["gaps"] == [{"from_s": 1.0, "to_s": 3.5, "seconds": 2.5}]
    assert document["latency_ms"] == {"median": 40.0, "p95": 60.0}
    assert document["started"] == "2026-05-03T10:30:02.250+00:00"
    assert document["analysed"] == "2026-05-03T11:30:02+00:00"
    assert document["size_changes"] == []
    assert document["skeleton"] == {"name": "coco", "keypoints": list(COCO.keypoints)}
    assert document["limbs"][0] == ["left_ankle", "left_knee"]
    assert document["model"] == {"name": "vit", "sha256": "ab" * 32, "runtime": "openvino bf16 on cpu"}
    assert document["detector"] == {"name": "boxes.json", "sha256": None, "runtime": None}
    assert document["config"] == {"conf": 0.3, "save": "a.mp4"}
    libraries = {"torch", "openvino", "onnxruntime", "ultralytics", "numpy", "opencv"}
    assert set(document["versions"]) == {"posetrack", "python", *libraries}
    assert document["versions"]["numpy"]
    assert document["columns"] == columns(COCO)
    assert "pixels" in document["columns"]["left_hip_x"]


def test_the_sidecar_of_an_incomplete_run_is_beside_its_partial_table(tmp_path):
    csv = tmp_path / "out.csv"
    path = write_sidecar(csv, replace(FACTS, complete=False))
    assert path == tmp_path / "out.partial.csv.json" == sidecar_path(csv, complete=False)
    assert json.loads(path.read_text())["complete"] is False
    write_sidecar(csv, FACTS)
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv.json"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Cannot write"):
        write_sidecar(tmp_path / "file" / "out.csv", FACTS)


def test_sha256(tmp_path):
    (tmp_path / "w").write_bytes(b"weights")
    assert sha256(tmp_path / "w") == hashlib.sha256(b"weights").hexdigest()
