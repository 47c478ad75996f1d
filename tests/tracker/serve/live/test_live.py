"""Images and live clients: what goes up is what is answered, to the one who sent it."""

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from posetrack.tracker.serve.live import routes
from posetrack.tracker.serve.live.answer import HEADER
from posetrack.tracker.serve.web import sockets


def test_a_image_is_answered_with_its_people(app, grey):
    with app.client() as client:
        answer = client.post("/api/images", content=grey(40)).json()
        names = client.get("/api/skeleton").json()["keypoints"]
    assert answer["size"] == [128, 96]
    (person,) = answer["people"]
    assert person["id"] == 1
    assert person["state"] == "measured"
    assert person["box"] == [10, 5, 60, 95]
    assert person["keypoints"][names.index("nose")][0] == pytest.approx(40, abs=2)
    assert {"left_knee", "right_elbow"} <= set(person["angles"])


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff\xd8\xff\xe0" + bytes(100)])
def test_what_is_no_image_is_refused_in_a_sentence(app, body):
    with app.client() as client:
        answer = client.post("/api/images", content=body)
    assert answer.status_code == 400
    assert "not an image" in answer.json()["detail"]


@pytest.mark.parametrize("size", [(8000, 5001), (30_000, 6_100)])
def test_a_image_that_would_fill_the_memory_is_refused_unread(app, size):
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    with app.client() as client:
        answer = client.post("/api/images", content=buffer.getvalue())
    assert answer.status_code == 400
    assert "at most 40,000,000 pixels" in answer.json()["detail"]


def test_ids_continue_from_frame_to_frame(app, grey):
    with app.socket("/api/live") as socket:
        found = []
        for level in (50, 51, 52):
            socket.send(grey(level))
            found.append(json.loads(socket.recv(timeout=300)))
    assert [answer["people"][0]["id"] for answer in found] == [1, 1, 1]
    assert [answer["frame"] for answer in found] == [0, 1, 2]
    assert found[0]["time"] == 0
    assert found[0]["time"] < found[1]["time"] < found[2]["time"]


def test_json_and_binary_say_the_same(app, grey):
    with app.socket("/api/live") as one, app.socket("/api/live?format=binary") as other:
        one.send(grey(90))
        other.send(grey(90))
        (person,) = json.loads(one.recv(timeout=300))["people"]
        record = other.recv(timeout=300)
    frame, width, height, n, k, seconds = HEADER.unpack_from(record)
    assert (frame, width, height, n, k, seconds) == (0, 128, 96, 1, 17, 0.0)
    (row,) = np.frombuffer(record, "<f4", offset=HEADER.size).reshape(n, 7 + 3 * k)
    assert row[:2].tolist() == [person["id"], 0]
    np.testing.assert_allclose(row[3:7], person["box"])
    np.testing.assert_allclose(row[7:].reshape(k, 3), person["keypoints"], atol=0.01)


def test_several_clients_get_the_people_of_their_own_frames(app, grey):
    wrong = []

    def watch(level):
        image = grey(level)
        with app.socket("/api/live") as socket:
            for _ in range(15):
                socket.send(image)
                (person,) = json.loads(socket.recv(timeout=300))["people"]
                if abs(person["keypoints"][0][0] - level) > 2:
                    wrong.append((level, person["keypoints"][0]))

    clients = [threading.Thread(target=watch, args=(10 + 10 * i,)) for i in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not wrong
    with app.client() as client:
        figures = client.get("/metrics").text
    assert 'posetrack_frames_total{kind="live"} 300.0' in figures


def test_of_frames_that_wait_only_the_newest_is_answered(serving, grey, brightness):
    held = threading.Event()
    with (
        serving(brightness(before=lambda: held.wait(300))) as app,
        app.socket("/api/live") as socket,
        app.client() as client,
    ):
        for level in range(10, 250, 10):
            socket.send(grey(level))
        while "posetrack_frames_dropped_total{" not in client.get("/metrics").text:
            pass
        held.set()
        socket.send(grey(7))
        answered = [0]
        while answered[-1] < 24:  # the last frame is never dropped
            answered.append(json.loads(socket.recv(timeout=300))["frame"])
    assert answered[1:] == sorted(set(answered[1:]))
    assert answered[-1] == 24
    assert len(answered[1:]) < 25  # at least one was dropped


def test_a_live_client_that_sends_no_image_is_sent_away(app):
    with app.socket("/api/live") as socket:
        socket.send(b"hello")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=300)
    assert closed.value.rcvd.code == sockets.UNREADABLE
    assert "not an image" in closed.value.rcvd.reason


def test_the_latency_that_a_browser_reports_is_recorded(app, grey):
    with app.socket("/api/live") as socket, app.client() as client:
        socket.send('{"latency_ms": 80}')
        for note in ("nonsense", '{"latency_ms": -1}', '{"latency_ms": "x"}', "[]", '{"other": 1}'):
            socket.send(note)
            assert json.loads(socket.recv(timeout=300))["error"]
        socket.send(grey(1))
        socket.recv(timeout=300)
        figures = client.get("/metrics").text
    assert "posetrack_live_latency_seconds_count 1.0" in figures
    assert "posetrack_live_latency_seconds_sum 0.08" in figures


def test_a_full_server_says_so(app, grey, monkeypatch):
    monkeypatch.setattr(routes, "MAX_CLIENTS", 1)
    with app.socket("/api/live") as first:
        first.send(grey(1))
        first.recv(timeout=300)
        with app.socket("/api/live") as second, pytest.raises(ConnectionClosed) as closed:
            second.recv(timeout=300)
        assert closed.value.rcvd.code == sockets.TRY_AGAIN_LATER


def test_people_are_counted_in_regions_and_at_lines(app, grey):
    with app.socket("/api/live") as socket:

        def answer(scene=None):
            if scene is not None:
                socket.send(json.dumps({"scene": scene}))
            socket.send(grey(40))
            return json.loads(socket.recv(timeout=300))

        assert "places" not in answer()
        everywhere = [[0, 0], [128, 0], [128, 96], [0, 96]]
        scene = {"zones": {"court": everywhere}, "lines": {"door": [[0, 50], [128, 50]]}}
        places = answer(scene)["places"]
        assert places == {"court": {"in": 1, "out": 0, "lost": 0, "inside": 1}, "door": {"in": 0, "out": 0}}
        both = {"zones": scene["zones"] | {"corner": [[0, 0], [1, 0], [0, 1]]}}
        places = answer(both)["places"]
        assert places["court"]["in"] == 1  # goes on
        assert places["corner"]["in"] == 0
        assert "places" not in answer({})


def test_a_known_length_gives_metres(app, grey):
    with app.socket("/api/live") as socket:
        socket.send(json.dumps({"scene": {"person_height": 1.8}}))
        person = {}
        while "speed_m_s" not in person:  # of a person who does not move
            socket.send(grey(40))
            (person,) = json.loads(socket.recv(timeout=300))["people"]
        assert person["height_m"] == pytest.approx(1.8)
        assert person["speed_m_s"] == pytest.approx(0, abs=0.05)
        socket.send(json.dumps({"scene": {"known_length": "0,90,100,90,2"}}))
        while (after := person.get("height_m")) in (None, 1.8):
            socket.send(grey(40))
            (person,) = json.loads(socket.recv(timeout=300))["people"]
        assert 0 < after < 3


@pytest.mark.parametrize(
    "scene",
    [
        {"lines": {"door": [[0, 0]]}},
        {"zones": {"court": [[0, 0], [1, 1]]}},
        {"zones": {"door": [[0, 0], [9, 0], [0, 9]]}, "lines": {"door": [[0, 0], [9, 9]]}},
        {"lines": {"": [[0, 0], [9, 9]]}},
        {"lines": {"door": [[0, 0], [1e999, 9]]}},
        {"known_length": "1,2,3"},
        {"person_height": 17},
        {"person_height": True},
        {"person_height": "1.7"},
        {"zones": {"court": [[True, 0], [9, 0], [0, 9]]}},
        {"person_height": 1.7, "known_length": "0,0,100,0,1"},
        {"walls": {}},
    ],
)
def test_a_scene_with_a_mistake_is_refused_and_the_last_one_stays(app, grey, scene):
    with app.socket("/api/live") as socket:
        socket.send(json.dumps({"scene": {"lines": {"first": [[0, 50], [128, 50]]}}}))
        socket.send(json.dumps({"scene": scene}))
        assert json.loads(socket.recv(timeout=300))["error"]
        socket.send(grey(40))
        assert list(json.loads(socket.recv(timeout=300))["places"]) == ["first"]
