"""`posetrack serve` from the command line: a real process with the bundled networks, and requests that it refuses."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

import cv2
import httpx
from servers import until

from posetrack.tracker.cli import main


def refused(capsys, *words):
    assert main(["serve", *map(str, words)]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    return said


def test_wrong_requests_get_one_sentence(capsys, tmp_path):
    history = ("--history", tmp_path)
    assert "The port is 99999" in refused(capsys, *history, "--port", 99999)
    assert "number above 0" in refused(capsys, *history, "--max-upload", 0)
    assert "no file" in refused(capsys, *history, "--certificate", tmp_path / "none.pem")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1, port {port}" in refused(capsys, *history, "--port", port)
    assert "Cannot listen on 203.0.113.1" in refused(capsys, *history, "--host", "203.0.113.1")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
@pytest.mark.parametrize(
    ("host", "signals"), [("127.0.0.1", [signal.SIGINT, signal.SIGINT]), ("0.0.0.0", [signal.SIGTERM])]
)
def test_the_server_tracks_and_ends_on_a_signal(host, signals, tmp_path, walking_clip):
    command = [sys.executable, "-m", "posetrack", "serve", "--host", host, "--port", "0", "--offline"]
    with (
        (tmp_path / "said").open("w") as said,
        subprocess.Popen([*command, "--history", tmp_path / "history"], stderr=said) as process,
    ):
        until(lambda: "serves" in (tmp_path / "said").read_text() or process.poll() is not None)
        lines = (tmp_path / "said").read_text()
        port, token = re.search(r":(\d+)/(?:\?token=(\S+))? until", lines).groups()
        assert bool(token) == (host == "0.0.0.0")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            video = cv2.VideoCapture(str(walking_clip))
            image = cv2.imencode(".jpg", video.read()[1])[1].tobytes()
            people = client.post("/api/images", content=image).json()["people"]
            assert people
            assert "/api/jobs" in json.loads(client.get("/openapi.json").text)["paths"]
        for number in signals:
            process.send_signal(number)
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in (tmp_path / "said").read_text()
