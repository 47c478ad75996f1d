"""A query parameter that a route does not know is refused, and the sentence names those that it knows."""

import pytest
from websockets.exceptions import InvalidStatus


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("POST", "/api/jobs?name=a.mp4&blur=true", "takes name, refine, blur_faces, scene"),
        ("GET", "/api/jobs?blur=1", "takes none"),
        ("POST", "/api/images?blur=1", "takes none"),
        ("GET", "/api/cameras/1/people?blur=1", "takes format"),
        ("PATCH", "/api/cameras/1?blur=1", "takes none"),
        ("GET", "/api/skeleton?blur=1", "takes none"),
    ],
)
def test_an_unknown_parameter_is_refused(app, method, path, known):
    with app.client() as client:
        answer = client.request(method, path, json={} if method == "PATCH" else None)
    assert answer.status_code == 422
    assert "There is no query parameter 'blur'" in answer.json()["detail"]
    assert known in answer.json()["detail"]


def test_an_unknown_parameter_of_a_socket_is_refused(app, grey):
    with pytest.raises(InvalidStatus, match="403"), app.socket("/api/live?fmt=binary"):
        pass
    with app.socket("/api/live?format=binary") as socket:
        socket.send(grey(1))
        assert isinstance(socket.recv(), bytes)
