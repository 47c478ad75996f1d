"""Who may use the server, and the headers of its answers."""

import pytest
from websockets.exceptions import InvalidStatus

from posetrack.tracker.serve.web.access import COOKIE

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
        again = client.get("/api/jobs", params={"token": TOKEN}, follow_redirects=True)
        assert (again.url.query, again.json()) == (b"", [])


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
        assert client.post("/api/images", content=grey(1)).status_code == 403
        assert client.post("/api/cameras", json={"source": "0"}).status_code == 403
        assert client.get("/api/cameras").json() == []
    with pytest.raises(InvalidStatus, match="403"), app.socket("/api/live", origin="https://evil.example"):
        pass
    with app.socket("/api/live", origin=app.url) as socket:
        socket.send(grey(1))
        assert socket.recv(timeout=300)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "127.0.0.1.evil.example", "[::1", "a@b["])
def test_another_name_for_this_machine_is_refused(app, host):
    with app.client() as client:
        assert client.get("/", headers={"Host": host}).status_code == 403
        assert client.get("/", headers={"Host": f"localhost:{app.port}"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"{",
            b"null",
            b"[" * 100_000,
            b"\xff\xfe",
            b'{"source": true}',
            b'{"source": 1e400}',
            b'{"source": NaN}',
        ),
        *(b'{"source": "0", "name": "\\ud800"}', b'{"source": "rtsp://\\ud800/x"}', b'{"source": "file:///etc/hosts"}'),
        b'{"source": "' + b"9" * 2000 + b'"}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_nonsense_is_refused_in_a_sentence(app, body):
    with app.client() as client:
        answer = client.post("/api/cameras", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert isinstance(answer.json()["detail"], str)
        assert client.post("/api/images", headers={"Origin": "http://["}).status_code == 403


def test_the_headers_forbid_foreign_scripts(app):
    with app.client() as client:
        for path in ("/", "/static/app.js", "/api/jobs", "/nothing"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"
