"""The page, its files, and the source code of the server."""

import http.client
import io
import zipfile

import pytest


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
    expected = ("posetrack/version.py", "posetrack/tracker/serve/app.py", "posetrack/models/weights/card.py", "LICENSE")
    assert set(expected) <= set(names)
    assert "posetrack/tracker/serve/static/app.js" in names
    assert len(names) == len(set(names))
    assert not [name for name in names if "__pycache__" in name or ".." in name]


def test_the_description_of_the_api_says_what_goes_in_and_comes_out(app):
    with app.client() as client:
        described = client.get("/openapi.json").json()
        mistake = client.post("/api/cameras", json={"source": "0", "colour": "red", "name": 7})
    assert mistake.status_code == 422
    assert mistake.json()["detail"] == "body.name: Input should be a valid string."
    routes = [route for methods in described["paths"].values() for route in methods.values()]
    assert all(route["description"] for route in routes)
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            (answer,) = (answer for code, answer in route["responses"].items() if code.startswith("2"))
            assert answer.get("content") or method == "delete", path
            assert "requestBody" in route or method not in ("post", "patch") or path.endswith("cancel"), path
            queries = (parameter for parameter in route.get("parameters", ()) if parameter["in"] == "query")
            assert all(query["description"] for query in queries)
    for name, schema in described["components"]["schemas"].items():
        assert "__" not in name, "two classes have this name"
        assert all(facts != {} for facts in schema.get("properties", {}).values())
