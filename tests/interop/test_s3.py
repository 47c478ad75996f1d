"""A batch in a bucket by the protocol of S3, with a server that imitates it; skipped where it is absent."""

import http.server
import re
import socket

import cv2
import fsspec
import numpy as np
import pytest
import stores

from posetrack.tracker.cli import main
from posetrack.tracker.output import manifest
from posetrack.tracker.output.manifest import SourceState
from posetrack.tracker.remote import store

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries of the server and the client

SECRET = "hunter2hunter2"


@pytest.fixture
def connect(monkeypatch, tmp_path):
    """A function that makes a port of this machine S3, for addresses `s3://`."""
    pytest.importorskip("s3fs", reason="needs s3fs")
    monkeypatch.setattr(store, "PAUSES", (0.0,))
    for name, value in (("ACCESS_KEY_ID", "me"), ("SECRET_ACCESS_KEY", SECRET), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.chdir(tmp_path)

    def connect(port):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        return fsspec.filesystem("s3")

    return connect


@pytest.fixture
def bucket(connect):
    """Three images without people."""
    server = pytest.importorskip("moto.server", reason="needs moto").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    bucket = connect(server.get_host_and_port()[1])
    bucket.mkdir("lab")
    image = cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    for name in ("a", "day/b", "day/c d"):
        bucket.pipe_file(f"lab/clips/{name}.png", image)
    yield bucket
    bucket.rm("lab", recursive=True)
    server.stop()


def posetrack(*words):
    return main([*words, "--offline", "--device", "cpu", "--quiet"])


def test_a_batch_in_a_bucket_and_its_next_run(bucket, tmp_path):
    words = ("s3://lab/clips", "--csv", "s3://lab/t", "--save", "s3://lab/drawn", "--skip-existing")
    assert posetrack(*words) == 0
    assert bucket.find("lab/t") == [
        f"lab/t/{name}" for name in ("a.csv", "a.csv.json", "day/b.csv", "day/b.csv.json", "day/c d.csv")
    ] + ["lab/t/day/c d.csv.json", "lab/t/manifest.jsonl"]
    assert len(bucket.find("lab/drawn")) == 3
    before = {path: bucket.modified(path) for path in bucket.find("lab/t")}
    bucket.rm_file("lab/t/a.csv")
    assert posetrack(*words) == 0
    bucket.get_file("lab/t/manifest.jsonl", str(tmp_path / manifest.NAME))
    entries = manifest.read(tmp_path)
    assert {entry.state for entry in entries.values()} == {SourceState.DONE}
    assert entries["day/b.csv"].etag == bucket.info("lab/clips/day/b.png")["ETag"].strip('"')
    assert bucket.modified("lab/t/day/b.csv") == before["lab/t/day/b.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("s3://lab/none.mp4",), "There is nothing at 's3://lab/none.mp4'. Check the address"),
        (("s3://absent/clips",), "There is nothing at 's3://absent/clips'. Check the address"),
        (("s3://lab/clips", "--csv", "s3://absent/t"), "Cannot write 's3://absent/t/manifest.jsonl': there is no such"),
        ((f"s3://me:{SECRET}@lab/clips",), "'s3://***' has a password"),
    ],
)
def test_what_is_missing_is_said_before_the_run(bucket, words, message, capsys):
    assert posetrack("--csv", "t", *words) > 0
    error = capsys.readouterr().err
    assert message in error
    assert SECRET not in error
    assert error.count("\n") == 1


def test_wrong_credentials_are_said_so(bucket, capsys):
    refuse = pytest.importorskip("moto.core", reason="needs moto").set_initial_no_auth_action_count(0)
    for place in ("s3://lab/clips", "s3://lab/clips/a.png"):
        assert refuse(posetrack)(place, "--csv", "t.csv" if place.endswith("png") else "t") == 1
        error = f"Cannot read '{place}': no permission. Give this machine the store's credentials"
        assert error in capsys.readouterr().err


class Busy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def test_a_store_that_is_busy_or_away_is_said_so(connect, capsys, caplog):
    with stores.web_folder(".", lambda *words, directory: Busy(*words)) as host:
        connect(host.partition(":")[2])
        assert posetrack("s3://lab/clips", "--csv", "t") == 1
    assert re.search("Cannot read 's3://lab/clips': .*Service Unavailable.* tried 2 times", capsys.readouterr().err)
    assert "It is tried again in 0 s." in caplog.text
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        connect(free.getsockname()[1])
        assert posetrack("s3://lab/clips", "--csv", "t") == 1
    assert "Cannot read 's3://lab/clips': EndpointConnectionError" in capsys.readouterr().err
