"""A repository of the hub: its revision stays, its digest counts, and size and licence are said before the download."""

import hashlib
import http.server
import json
import logging
import threading

import pytest

from posetrack.errors import ModelError
from posetrack.models.weights import hub

FIRST, SECOND = "1" * 40, "2" * 40
FILES = {"config.json": b"{}", "preprocessor_config.json": b"{}", "model.safetensors": b"weights" * 1000, "notes": b"-"}
DIGEST = hashlib.sha256(FILES["model.safetensors"]).hexdigest()


def find(name, **words):
    return hub.find(name, option="--model", types=("vitpose",), **words)


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as a download needs."""

    newest, digest, seen, authorization, files = FIRST, DIGEST, [], None, FILES

    def do_GET(self):
        Hub.seen.append(self.path)
        if self.path.startswith("/api/models/owner/net"):
            revision = self.path.partition("/revision/")[2].partition("?")[0] or Hub.newest
            files = [{"rfilename": name, "size": len(body)} for name, body in FILES.items()]
            files[2]["lfs"] = {"size": files[2]["size"], "sha256": Hub.digest, "pointerSize": 1}
            card = {"license": "apache-2.0"}
            facts = {"id": "owner/net", "sha": revision, "siblings": files, "cardData": card, "tags": []}
            self.answer(json.dumps(facts).encode(), "application/json")
        elif self.path.startswith("/owner/net/resolve/") and self.headers.get("Authorization") == Hub.authorization:
            self.answer(Hub.files[self.path.rpartition("/")[2]], "application/octet-stream")
        else:
            self.send_error(403 if "/resolve/" in self.path else 404)

    do_HEAD = do_GET

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if "/resolve/" in self.path:
            self.send_header("X-Repo-Commit", self.path.split("/")[4])
            self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("POSETRACK_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    here, template = f"http://127.0.0.1:{server.server_port}", "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", here)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", here + template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(Hub, "newest", FIRST)
    monkeypatch.setattr(Hub, "digest", DIGEST)
    monkeypatch.setattr(Hub, "seen", [])
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    yield
    server.shutdown()
    server.server_close()


def test_the_revision_of_the_first_use_stays(server, monkeypatch, caplog):
    with caplog.at_level(logging.INFO, "posetrack"):
        path = find("owner/net")
    assert path.read_bytes() == FILES["model.safetensors"]
    assert path.parent.name == FIRST
    assert f"/owner/net/resolve/{FIRST}/model.safetensors: 0.0 MB, licence apache-2.0" in caplog.text
    assert not any("notes" in place for place in Hub.seen)
    monkeypatch.setattr(Hub, "newest", SECOND)
    Hub.seen.clear()
    assert find("owner/net") == path
    assert find("owner/net", offline=True) == path
    assert Hub.seen == []  # nothing is asked again


def test_a_revision_may_be_named(server):
    path = find(f"owner/net@{SECOND}")
    assert path.parent.name == SECOND
    assert find("owner/net") == path


def test_a_file_that_the_hub_did_not_promise_is_refused(server, monkeypatch):
    monkeypatch.setattr(Hub, "digest", "0" * 64)
    with pytest.raises(ModelError, match=r"not the file that was published: .* not 0000"):
        find("owner/net")
    monkeypatch.setattr(Hub, "digest", DIGEST)
    assert find("owner/net").read_bytes() == FILES["model.safetensors"]


def test_an_unknown_repository_is_a_sentence(server):
    with pytest.raises(
        ModelError, match=r"The hub has no network 'owner/nothing', or it is private\. Check the name, or log in"
    ):
        find("owner/nothing")


def test_a_hub_that_does_not_answer_is_a_sentence(server, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"does not answer\. Check the name, or connect"):
        find("owner/net")


def test_a_repository_without_weights_is_a_sentence(server, monkeypatch):
    monkeypatch.delitem(FILES, "notes")
    monkeypatch.setattr(hub, "WEIGHTS", "other.safetensors")
    with pytest.raises(ModelError, match=r"has no other\.safetensors"):
        find("owner/net")


@pytest.mark.parametrize("name", ["yolo11n.pt", "folder/file.onnx", "a/b/c", f"owner/net@{'1' * 39}"])
def test_another_name_is_none_of_the_hub(name):
    assert find(name) is None


def test_a_gated_repository_takes_the_token_of_a_user_who_may_have_it(server, monkeypatch):
    monkeypatch.setattr(Hub, "authorization", "Bearer hf_mine")
    with pytest.raises(ModelError, match=r"'owner/net' is gated\. Accept its terms at http.*/owner/net, and log in"):
        find("owner/net")
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    assert find("owner/net").is_file()


def test_a_network_of_another_type_is_refused_before_its_weights_are_downloaded(server, monkeypatch):
    monkeypatch.setattr(Hub, "files", FILES | {"config.json": b'{"model_type": "sapiens2"}'})
    with pytest.raises(ModelError, match=r"'owner/net' is a sapiens2 of transformers, .* --model takes vitpose\."):
        find("owner/net")
    assert not any("model.safetensors" in path for path in Hub.seen)


def test_offline_is_a_sentence(server):
    with pytest.raises(ModelError, match="and downloads are off"):
        find("owner/net", offline=True)
    assert Hub.seen == []
