"""Who may use the server, and the headers of its answers."""

import http.client
import io
import zipfile

import pytest
from websockets.exceptions import InvalidStatus

from posetrack.errors import UsageError
from posetrack.tracker.config import RunConfig
from posetrack.tracker.serve import settings
from posetrack.tracker.serve.access import COOKIE
from posetrack.tracker.serve.server import welcome

TOKEN = "correct-horse"


@pytest.fixture
def guarded(serving):
    with serving(token=TOKEN) as app:
        yield app


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/metrics", "/static/app.js", "/openapi.json", "/source.zip"])
def test_without_the_token_nothing_is_answered(guarded, path):
    with guarded.client() as client:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": TOKEN},
            {"Cookie": f"{COOKIE}=é".encode()},
        ):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 401
            assert "token" in answer.text
        assert client.get(path, params={"token": "wrong"}).status_code == 401


def test_the_token_is_accepted_in_a_header(guarded):
    with guarded.client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get("/api/jobs").json() == []
        assert COOKIE not in client.cookies


def test_the_first_visit_leaves_a_cookie_and_a_clean_address(guarded):
    with guarded.client() as client:
        answer = client.get("/", params={"token": TOKEN, "a": "1"})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/?a=1"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert client.get("/api/jobs").json() == []


def test_the_first_visit_leads_to_no_other_site(guarded):
    with guarded.client() as client:
        answer = client.get(f"{guarded.url}//evil.example/", params={"token": TOKEN})
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith("//")


def test_a_socket_needs_the_token(guarded, grey):
    with pytest.raises(InvalidStatus, match="403"), guarded.socket("/api/live"):
        pass
    with guarded.socket("/api/live", additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        socket.send(grey(1))
        assert socket.recv(timeout=300)


def test_pages_of_other_sites_change_nothing_and_open_no_socket(app, grey):
    with app.client(headers={"Origin": "https://evil.example"}) as client:
        assert client.post("/api/pictures", content=grey(1)).status_code == 403
        assert client.post("/api/cameras", json={"source": "0"}).status_code == 403
        assert client.get("/api/cameras").json() == []
    with pytest.raises(InvalidStatus, match="403"), app.socket("/api/live", origin="https://evil.example"):
        pass
    with app.socket("/api/live", origin=app.url) as socket:
        socket.send(grey(1))
        assert socket.recv(timeout=300)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "127.0.0.1.evil.example"])
def test_another_name_for_this_machine_is_refused(app, host):
    with app.client() as client:
        assert client.get("/", headers={"Host": host}).status_code == 403
        assert client.get("/", headers={"Host": f"localhost:{app.port}"}).status_code == 200


def test_the_headers_forbid_foreign_scripts(app):
    with app.client() as client:
        for path in ("/", "/static/app.js", "/api/jobs", "/nothing"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/../../etc/passwd"],
)
def test_a_path_leads_out_of_no_folder(app, path):
    connection = http.client.HTTPConnection("127.0.0.1", app.port)  # sends the path as it is
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"create_app" not in answer.read()
    connection.close()


def test_the_page_loads_nothing_from_elsewhere(app):
    with app.client() as client:
        page = client.get("/").text
        assert "http://" not in page
        assert "https://" not in page
        assert "<script>" not in page
        assert "style=" not in page
        assert "/source.zip" in page


def test_the_source_of_the_server_is_complete(app):
    with app.client() as client:
        archive = zipfile.ZipFile(io.BytesIO(client.get("/source.zip").content))
    names = archive.namelist()
    wanted = ("posetrack/version.py", "posetrack/tracker/serve/app.py", "posetrack/models/weights/card.py", "LICENSE")
    assert set(wanted) <= set(names)
    assert "posetrack/tracker/serve/static/app.js" in names
    assert len(names) == len(set(names))
    assert not [name for name in names if "__pycache__" in name or ".." in name]


def test_other_machines_need_a_token(tmp_path):
    run = RunConfig()
    with pytest.raises(UsageError, match="needs a token"):
        settings.Settings(tmp_path, run, host="0.0.0.0")
    one, other = settings.new_token(), settings.new_token()
    assert one != other
    assert len(one) >= 32
    open_to_all = settings.Settings(tmp_path, run, host="0.0.0.0", token=one)
    assert f"http://0.0.0.0:8000/?token={one} " in welcome(open_to_all, 8000)[0]
    assert "token" not in " ".join(welcome(settings.Settings(tmp_path, run), 8000))
    assert settings.is_loopback("::1")
    assert settings.is_loopback("127.0.0.9")
    assert not settings.is_loopback("192.168.0.2")
