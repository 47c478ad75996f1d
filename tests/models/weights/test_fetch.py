"""Downloads from a server on this machine."""

import hashlib
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from posetrack.errors import ModelError
from posetrack.models.weights.fetch import fetch

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers as a storage does: /file from any byte on, /old without resuming, /cut half of what it announces."""

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        self.server.tokens.append(self.headers.get("Authorization"))
        if self.path == "/hub":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.send_header("X-Linked-ETag", f'"{self.server.digest}"')
            self.end_headers()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.path != "/old" else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(CONTENT[start : len(CONTENT) // 2 if self.path == "/cut" else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.tokens, server.digest = [], [], DIGEST
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "weights.pth"


def part(target):
    return target.with_name("weights.pth.part")


def test_a_file_takes_its_name_when_it_is_whole(server, target, capsys, caplog):
    with caplog.at_level(logging.INFO, "posetrack"):
        fetch(f"{server.url}/file", target, expected=DIGEST, licence="MIT")
    assert f"Downloading {server.url}/file: {len(CONTENT) / 1e6:.1f} MB, licence MIT" in caplog.text
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["weights.pth"]
    assert capsys.readouterr() == ("", "")


def test_a_download_that_breaks_off_goes_on_where_it_stopped(server, target):
    with pytest.raises(ModelError, match=r"stopped after 0\.0 MB .*Run it again"):
        fetch(f"{server.url}/cut", target, expected=DIGEST, licence="MIT")
    assert not target.exists()
    assert part(target).read_bytes() == CONTENT[: len(CONTENT) // 2]
    fetch(f"{server.url}/file", target, expected=DIGEST, licence="MIT")
    assert target.read_bytes() == CONTENT
    assert server.asked[-1] == ("/file", f"bytes={len(CONTENT) // 2}-")


def test_a_server_that_cannot_resume_sends_the_file_again(server, target):
    target.parent.mkdir()
    part(target).write_bytes(b"another beginning")
    fetch(f"{server.url}/old", target, expected=DIGEST, licence="MIT")
    assert target.read_bytes() == CONTENT


def test_nothing_is_fetched_twice(server, target):
    target.parent.mkdir()
    part(target).write_bytes(CONTENT)
    fetch(f"{server.url}/file", target, expected=DIGEST, licence="MIT")
    assert target.read_bytes() == CONTENT
    part(target).write_bytes(CONTENT + b"more than there is")
    fetch(f"{server.url}/file", target, expected=DIGEST, licence="MIT")
    assert target.read_bytes() == CONTENT


def test_another_file_than_the_published_one_is_not_kept(server, target):
    with pytest.raises(ModelError, match=f"its sha256 is {DIGEST}, not 00"):
        fetch(f"{server.url}/file", target, expected="00" * 32, licence="MIT")
    assert not list(target.parent.iterdir())


def test_the_digest_that_the_hub_states_counts(server, target):
    fetch(f"{server.url}/hub", target, licence="MIT")
    assert target.read_bytes() == CONTENT
    server.digest = "00" * 32
    with pytest.raises(ModelError, match="not the file that was published"):
        fetch(f"{server.url}/hub", target, licence="MIT")


def test_what_cannot_be_had_is_a_sentence(server, target):
    with pytest.raises(
        ModelError, match=r"responded 404 Not Found\. Try again, or download it yourself and put it at .*pth"
    ):
        fetch(f"{server.url}/missing", target, licence="MIT")
    server.shutdown()
    server.server_close()
    with pytest.raises(ModelError, match="Connection refused"):
        fetch(f"{server.url}/file", target, licence="MIT")


def test_a_folder_that_cannot_be_written_to_is_a_sentence(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match=r"Cannot write .*POSETRACK_CACHE"):
        fetch(f"{server.url}/file", tmp_path / "file" / "weights.pth", licence="MIT")


def test_a_redirect_does_not_get_the_token(server, target):
    fetch(f"{server.url}/hub", target, licence="MIT", token="hf_mine")
    assert server.tokens == ["Bearer hf_mine", None]


def test_the_proxy_of_the_environment_is_asked(server, target, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    fetch("http://weights.invalid/file", target, licence="MIT")
    assert server.asked == [("http://weights.invalid/file", None)]
    assert target.read_bytes() == CONTENT
