"""Cameras of the server: streams on the loopback, shown and tracked side by side, lost and found again."""

import itertools
import json
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from servers import LiveServer, multipart, until
from websockets.exceptions import ConnectionClosed

from posetrack.errors import UsageError
from posetrack.tracker.perception.schedule import Schedule
from posetrack.tracker.serve.cameras import camera, registry
from posetrack.tracker.serve.live.answer import HEADER
from posetrack.tracker.serve.live.images import decode

MJPEG = "multipart/x-mixed-replace; boundary=image"


@pytest.fixture
def stream(grey):
    """Makes a camera that sends a grey image again and again."""

    def make(level, **words):
        return LiveServer(lambda: multipart(itertools.repeat(grey(level))), kind=MJPEG, **words)

    return make


def address(server):
    return f"http://127.0.0.1:{server.port}/live.mjpeg"


def listed(client):
    return {camera["name"]: camera for camera in client.get("/api/cameras").json()}


def running(client, *names):
    until(lambda: all(listed(client)[name]["frames"] > 3 for name in names))


def viewed(socket):
    """Take an image: what is said of it, and the image."""
    message = socket.recv(timeout=300)
    (length,) = struct.unpack_from("<I", message)
    socket.send("next")
    return json.loads(message[4 : 4 + length]), decode(message[4 + length :])


def test_each_camera_shows_its_own_people(serving, stream):
    with (
        stream(50) as one,
        stream(200) as other,
        serving(sources=(address(one), address(other))) as app,
        app.client() as client,
    ):
        until(lambda: all(camera["frames"] > 3 for camera in client.get("/api/cameras").json()))
        found = client.get("/api/cameras").json()
        assert {camera["state"] for camera in found} == {"running"}
        for camera, level in zip(found, (50, 200)):
            with app.socket(f"/api/cameras/{camera['id']}/view") as viewer:
                for _ in range(3):
                    said, image = viewed(viewer)
                    assert image.shape == (96, 128, 3)
                    assert image.mean() == pytest.approx(level, abs=2)
                    assert said["people"][0]["keypoints"][0][0] == pytest.approx(level, abs=2)
                    assert said["size"] == [128, 96]


def test_a_lost_camera_comes_back_and_disturbs_no_other(serving, stream, monkeypatch):
    monkeypatch.setattr(camera, "SILENT", 0.5)
    with stream(50) as one, serving() as app, app.client() as client:
        other = stream(200)
        for name, server in (("one", one), ("other", other)):
            client.post("/api/cameras", json={"source": address(server), "name": name}).raise_for_status()
        running(client, "one", "other")
        other.kill()
        until(lambda: listed(client)["other"]["state"] == "lost")
        before = listed(client)["one"]
        assert before["state"] == "running"
        until(lambda: listed(client)["one"]["frames"] > before["frames"] + 3)
        until(lambda: 'posetrack_cameras{state="lost"} 1.0' in client.get("/metrics").text)
        with stream(200, port=other.port):
            until(lambda: listed(client)["other"]["state"] == "running")


def test_a_camera_that_is_not_there_yet_is_tried_again(serving, stream):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving() as app, app.client() as client:
        source = f"http://user:secret@127.0.0.1:{port}/live.mjpeg"
        client.post("/api/cameras", json={"source": source, "name": "late"}).raise_for_status()
        until(lambda: listed(client)["late"]["error"])
        assert listed(client)["late"]["state"] == "lost"
        assert "secret" not in client.get("/api/cameras").text
        with stream(80, port=port):
            until(lambda: listed(client)["late"]["state"] == "running")
            assert listed(client)["late"]["error"] == ""


def test_a_camera_can_be_named_and_stopped(serving, stream):
    with stream(50) as server, serving() as app, app.client() as client:
        path = f"/api/cameras/{client.post('/api/cameras', json={'source': address(server)}).json()['id']}"
        assert next(iter(listed(client))).startswith("http://127.0.0.1")
        assert client.patch(path, json={"name": "Hall"}).json()["name"] == "Hall"
        assert client.patch(path, json={"blur_faces": True}).json()["blur_faces"] is True
        assert "blur_face" in client.patch(path, json={"blur_face": False}).json()["detail"]
        running(client, "Hall")
        with app.socket(f"{path}/view") as viewer:
            viewed(viewer)
            assert client.delete(path).status_code == 204
            with pytest.raises(ConnectionClosed):
                all(viewed(viewer) for _ in range(1000))
        assert listed(client) == {}
        assert client.delete(path).status_code == 404


def test_people_of_a_camera_are_counted_where_its_image_is_marked(serving, stream):
    with stream(50) as server, serving(sources=(address(server),)) as app, app.client() as client:
        path = f"/api/cameras/{client.get('/api/cameras').json()[0]['id']}"
        scene = {"zones": {"hall": [[0, 0], [128, 0], [128, 96], [0, 96]]}, "known_length": "0,90,100,90,2"}
        camera = client.patch(path, json={"scene": scene}).raise_for_status().json()
        assert camera["scene"] == {"lines": {}, "person_height": None} | scene
        with app.socket(f"{path}/view") as viewer:
            until(lambda: viewed(viewer)[0].get("places", {}).get("hall", {}).get("inside") == 1)
        assert client.patch(path, json={"scene": {"lines": {"door": [[0, 0]]}}}).status_code == 400
        assert client.get("/api/cameras").json()[0]["scene"] == camera["scene"]


def test_names_and_marks_outlive_the_server(serving, stream):
    scene = {"zones": {}, "lines": {"door": [[0, 0], [0, 90]]}, "person_height": 1.8, "known_length": None}
    with stream(50) as given, stream(90) as added:
        sources = (address(given),)
        with serving(sources=sources) as app, app.client() as client:
            (camera,) = client.get("/api/cameras").json()
            changes = {"name": "Hall", "blur_faces": True, "scene": scene}
            client.patch(f"/api/cameras/{camera['id']}", json=changes).raise_for_status()
            client.post("/api/cameras", json={"source": address(added), "name": "Door"}).raise_for_status()
        with serving(sources=sources) as app, app.client() as client:
            found = listed(client)
            assert list(found) == ["Hall", "Door"]
            assert {name: found["Hall"][name] for name in changes} == changes
            running(client, "Hall", "Door")
            client.delete(f"/api/cameras/{found['Door']['id']}").raise_for_status()
        with serving() as app, app.client() as client:
            assert listed(client) == {}  # what the command line opened, it opens again only when it is given again
        with serving(sources=sources) as app, app.client() as client:
            assert listed(client)["Hall"]["scene"] == scene


def test_a_damaged_file_of_cameras_is_named(serving, tmp_path):
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "cameras.json").write_text('{"cameras": [{"source": "0"}]}')
    with pytest.raises(UsageError, match=r"cameras\.json' is damaged: cameras\.0\.name: Field required"), serving():
        pass


def test_faces_stay_blurred_or_the_server_does_not_start(serving, stream, brightness):
    skipping = brightness()
    skipping.schedule = Schedule(2, 1)
    with stream(50) as one:
        with serving(skipping, sources=(address(one),)) as app, app.client() as client:
            path = f"/api/cameras/{client.get('/api/cameras').json()[0]['id']}"
            answer = client.patch(path, json={"blur_faces": True})
            assert answer.status_code == 400
            assert "cannot be blurred" in answer.json()["detail"]
        with serving(sources=(address(one),)) as app, app.client() as client:
            path = f"/api/cameras/{client.get('/api/cameras').json()[0]['id']}"
            assert client.patch(path, json={"blur_faces": True}).json()["blur_faces"]
        with pytest.raises(UsageError, match="cannot be blurred"), serving(skipping, sources=(address(one),)):
            pass


def test_a_mistyped_field_is_refused(app):
    with app.client() as client:
        answer = client.post("/api/cameras", json={"source": "0", "names": "Hall"})
        assert answer.status_code == 422
        assert "names" in answer.text
        assert client.get("/api/cameras").json() == []


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "clip.mp4", "file:///etc/passwd", "../x.mp4", "concat:a|b", "", "http://a b", "-1"]
)
def test_a_client_cannot_name_a_file(app, source):
    with app.client() as client:
        answer = client.post("/api/cameras", json={"source": source})
        assert answer.status_code == 422
        assert client.get("/api/cameras").json() == []


def test_a_file_of_the_command_line_plays_in_its_own_time_and_ends(serving, walking_clip):
    with serving(sources=(str(walking_clip),)) as app, app.client() as client:
        until(lambda: listed(client)[walking_clip.name]["state"] == "ended")
        camera = listed(client)[walking_clip.name]
        assert camera["frames"] + camera["dropped"] == 10
        identity = camera["id"]
        with app.socket(f"/api/cameras/{identity}/view") as viewer, pytest.raises(ConnectionClosed) as closed:
            viewer.recv(timeout=300)
        assert "ended" in closed.value.rcvd.reason


@pytest.mark.slow
def test_the_time_of_a_file_starts_after_the_first_frame_which_takes_long(serving, brightness, walking_clip):
    delays = itertools.chain([1.5], itertools.repeat(0.0))  # longer than the file
    pipeline = brightness(before=lambda: time.sleep(next(delays)))
    with serving(pipeline, sources=(str(walking_clip),)) as app, app.client() as client:
        until(lambda: listed(client)[walking_clip.name]["state"] == "ended")
        assert listed(client)[walking_clip.name]["frames"] > 1


def test_people_come_as_lines_and_as_records(serving, stream):
    with stream(120) as server, serving(sources=(address(server),)) as app, app.client() as client:
        path = f"/api/cameras/{client.get('/api/cameras').json()[0]['id']}/people"
        with client.stream("GET", path) as answer:
            assert answer.headers["content-type"].startswith("application/x-ndjson")
            frames = [json.loads(line) for line in itertools.islice(answer.iter_lines(), 5)]
        numbers = [frame["frame"] for frame in frames]
        assert numbers == sorted(set(numbers))
        assert frames[0]["people"][0]["keypoints"][0][0] == pytest.approx(120, abs=2)
        size = HEADER.size + 4 * (7 + 3 * 17)
        with client.stream("GET", path, params={"format": "binary"}) as answer:
            record = next(answer.iter_bytes(size))
        assert HEADER.unpack_from(record)[1:5] == (128, 96, 1, 17)
        row = np.frombuffer(record, "<f4", offset=HEADER.size)
        assert row[7] == pytest.approx(120, abs=2)
        assert client.get(path, params={"format": "xml"}).status_code == 422


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
def test_the_javascript_example_prints_people(serving, stream):
    example = Path(__file__).parents[4] / "examples" / "web_client.mjs"
    with (
        stream(120) as server,
        serving(sources=(address(server),)) as app,
        subprocess.Popen(["node", str(example), app.url], stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            until(lambda: " 1: " in process.stdout.readline())
        finally:
            process.kill()


def test_a_slow_viewer_gets_newer_images_and_delays_no_other(serving, stream):
    with stream(50) as server, serving(sources=(address(server),)) as app, app.client() as client:
        path = f"/api/cameras/{client.get('/api/cameras').json()[0]['id']}/view"
        with app.socket(path) as slow, app.socket(path) as quick:
            slow.recv(timeout=300)  # and does not answer
            first = viewed(quick)[0]["frame"]
            numbers = [viewed(quick)[0]["frame"] for _ in range(10)]
            assert numbers[-1] - first >= 10
            slow.send("next")
            assert viewed(slow)[0]["frame"] >= numbers[-1]


def test_there_is_a_limit_to_cameras(app, monkeypatch):
    monkeypatch.setattr(registry, "MAX_CAMERAS", 0)
    with app.client() as client:
        answer = client.post("/api/cameras", json={"source": "0"})
        assert answer.status_code == 409
