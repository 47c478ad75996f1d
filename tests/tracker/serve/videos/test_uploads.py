"""Videos that are uploaded: what is accepted, and the downloads of their results."""

import http.client
import importlib.util
import json
import time
from pathlib import Path

import httpx
import pytest
from servers import until

from posetrack.tracker.serve.web import bodies


def test_an_upload_waits_in_the_queue_and_can_be_deleted(app, walking_clip, tmp_path):
    with app.client() as client:
        answer = client.post("/api/jobs", params={"name": "my dance.MP4"}, content=walking_clip.read_bytes())
        assert answer.status_code == 201
        job = answer.json()
        assert job["name"] == "my dance.MP4"
        assert client.get(f"/api/jobs/{job['id']}/results/csv").status_code == 409
        assert [each["id"] for each in client.get("/api/jobs").json()] == [job["id"]]
        folder = tmp_path / "history" / job["id"]
        assert (folder / "video.mp4").read_bytes() == walking_clip.read_bytes()
        assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
        assert client.get("/api/jobs").json() == []
        until(lambda: not folder.exists())
        assert "posetrack_uploaded_bytes_total" in client.get("/metrics").text


@pytest.mark.parametrize("name", ["notes.txt", "dance", ".mp4/..", "clip.mp4.sh", ""])
def test_another_type_is_refused_before_it_is_read(app, name, tmp_path):
    with app.client() as client:
        answer = client.post("/api/jobs", params={"name": name}, content=b"x")
        assert answer.status_code == 415
        assert "not a video file" in answer.json()["detail"]
        assert client.get("/api/jobs").json() == []
    assert [path.name for path in (tmp_path / "history").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("body", [b"", b"#!/bin/sh\n", b"ffconcat version 1.0\nfile /etc/passwd\n"])
def test_what_is_no_video_is_refused_under_the_name_of_one(app, body, tmp_path):
    with app.client() as client:
        answer = client.post("/api/jobs", params={"name": "dance.mp4"}, content=body)
        assert answer.status_code == 415
        assert "'dance.mp4'" in answer.json()["detail"]
        assert str(tmp_path) not in answer.text
        assert client.get("/api/jobs").json() == []
    assert [path.name for path in (tmp_path / "history").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("name", ["../../evil.mp4", "/etc/evil.mp4", "..\\evil.mp4", "a\n\"b'.mp4", "é\u202e.mp4"])
def test_the_name_of_an_upload_is_never_a_path(app, name, walking_clip, tmp_path):
    with app.client() as client:
        job = client.post("/api/jobs", params={"name": name}, content=walking_clip.read_bytes()).json()
        assert job["name"] == name
        files = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
        assert files == {"history"}
        assert {path.name for path in (tmp_path / "history" / job["id"]).iterdir()} <= {
            "video.mp4",
            "results",
            "log.txt",
        }
        client.delete(f"/api/jobs/{job['id']}")


@pytest.mark.parametrize("identity", ["..", "%2e%2e", "..%2f..%2fetc", "jobs.sqlite", "0" * 16])
def test_an_unknown_job_is_no_path(app, identity):
    with app.client() as client:
        for path in (f"/api/jobs/{identity}/results/csv", f"/api/jobs/{identity}/results/..%2f..%2fjobs.sqlite"):
            assert client.get(path).status_code == 404


def test_a_large_upload_is_refused_and_leaves_nothing(serving, tmp_path):
    def endless():
        for _ in range(100):
            yield bytes(1000)

    with serving(max_upload=10_000) as app, app.client() as client:
        for body in (bytes(10_001), endless()):
            answer = client.post("/api/jobs", params={"name": "a.mp4"}, content=body)
            assert answer.status_code == 413
            assert "limit" in answer.json()["detail"]
        assert client.get("/api/jobs").json() == []
    assert [path.name for path in (tmp_path / "history").iterdir() if path.is_dir()] == []


def test_a_client_that_falls_silent_is_given_up_and_delays_no_other(app, monkeypatch, tmp_path):
    monkeypatch.setattr(bodies, "IDLE", 0.3)
    slow = http.client.HTTPConnection("127.0.0.1", app.port)
    slow.putrequest("POST", "/api/jobs?name=a.mp4")
    slow.putheader("Content-Length", "100000")
    slow.endheaders(b"begin")
    with app.client() as client:
        assert client.get("/").status_code == 200
    answer = slow.getresponse()
    assert answer.status == 408
    slow.close()
    with app.client() as client:
        assert client.get("/api/jobs").json() == []


def test_a_client_that_goes_away_leaves_nothing(app, tmp_path, caplog):
    gone = http.client.HTTPConnection("127.0.0.1", app.port)
    gone.putrequest("POST", "/api/jobs?name=a.mp4")
    gone.putheader("Content-Length", "100000")
    gone.endheaders(b"begin")
    with app.client() as client:
        until(lambda: client.get("/api/jobs").json())
        gone.close()
        until(lambda: not client.get("/api/jobs").json())
    assert not [record for record in caplog.records if record.exc_info]
    assert [path.name for path in (tmp_path / "history").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(
    "scene", ["{", '{"lines": {"door": [[0, 0]]}}', '{"person_height": 1.7, "known_length": "0,0,99,0,1"}']
)
def test_a_scene_with_a_mistake_is_refused_with_its_video(app, scene, walking_clip):
    with app.client() as client:
        answer = client.post("/api/jobs", params={"name": "walk.mp4", "scene": scene}, content=b"")
        assert answer.status_code == 400
        assert answer.json()["detail"].endswith(".")
        assert client.get("/api/jobs").json() == []


@pytest.mark.slow
def test_a_video_becomes_a_report_and_every_format(app, walking_clip):
    with app.client() as client:
        scene = {"person_height": 1.8, "zones": {"hall": [[0, 0], [9999, 0], [9999, 9999], [0, 9999]]}}
        options = {"name": "walk.mp4", "refine": True, "scene": json.dumps(scene)}
        job = client.post("/api/jobs", params=options, content=walking_clip.read_bytes()).json()
        until(lambda: client.get(f"/api/jobs/{job['id']}").json()["state"] not in ("queued", "running"), seconds=300)
        done = client.get(f"/api/jobs/{job['id']}").json()
        assert (done["state"], done["error"]) == ("done", "")
        assert done["started"] <= done["finished"] <= time.time()
        bodies = {}
        for result in done["results"]:
            answer = client.get(f"/api/jobs/{job['id']}/results/{result['name']}")
            assert answer.status_code == 200, (result, answer.text)
            bodies[result["name"]] = answer
        assert client.get(f"/api/jobs/{job['id']}/results/nonsense").status_code == 404
    assert {"report", "save", "csv", "features", "events", "coco", "sleap", "dlc", "trc", "openpose"} <= set(bodies)
    assert bodies["csv"].text.startswith("frame,time_s,track_id")
    assert "walk%20tracked.csv" in bodies["csv"].headers["content-disposition"]
    assert bodies["save"].content[4:8] == b"ftyp"
    assert "hall_in" in bodies["events"].text
    assert "sandbox" in bodies["report"].headers["content-security-policy"]
    assert "<title>walk.mp4" in bodies["report"].text
    assert isinstance(json.loads(bodies["coco"].text), list)
    assert bodies["openpose"].content[:2] == b"PK"


@pytest.mark.slow
def test_the_example_saves_the_results(app, walking_clip, tmp_path):
    path = Path(__file__).parents[4] / "examples" / "web_client.py"
    spec = importlib.util.spec_from_file_location("web_client", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with app.client() as client:
        saved = example.track(client, walking_clip, tmp_path)
        assert [file.name for file in saved] == ["people-report.html", "people-tracked.csv"]
        assert saved[1].read_text().startswith("frame,time_s")
        assert str(tmp_path) not in saved[0].read_text()
        (tmp_path / "none.mp4").write_bytes(b"")
        with pytest.raises(httpx.HTTPStatusError, match="415"):
            example.track(client, tmp_path / "none.mp4", tmp_path)
