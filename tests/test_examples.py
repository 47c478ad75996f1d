"""The examples run, use the public names alone, and pass mypy --strict."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clip(walking_clip, tmp_path):
    return str(shutil.copy(walking_clip, tmp_path / "clip.mp4"))


def test_squats_are_counted(clip, monkeypatch, capsys):
    """Of a stick figure, whose poses stand in for those of a video."""
    import motions

    import posetrack
    from posetrack.tracker.evaluation import synthetic

    person = motions.perform([motions.stand(1), motions.squats(3), motions.stand(1)], synthetic.regular(12, 30))
    frames = [
        (
            posetrack.Frame(np.zeros((2, 2, 3), np.uint8), index, time),
            posetrack.Tracks([4], poses, np.zeros((1, 2)), ("measured",)),
        )
        for index, time, poses in person.frames()
    ]
    example = load("squat_counter")
    assert example.count_squats(clip) == {}
    monkeypatch.setattr(posetrack, "track", lambda source: iter(frames), raising=False)
    assert example.count_squats("squats.mp4") == {4: 3}
    assert "squat 3 of person 4" in capsys.readouterr().out


def test_an_own_detector_tracks(clip, tmp_path):
    example = load("own_detector")
    assert example.main(clip, str(tmp_path / "out.mp4")) == 10
    assert (tmp_path / "out.mp4").stat().st_size


def test_several_cameras_are_tracked_at_once(clip, tmp_path, capsys):
    other = str(shutil.copy(clip, tmp_path / "other.mp4"))
    found = list(load("multi_camera").track_all([clip, other, str(tmp_path / "none.mp4")]))
    for source in (clip, other):
        assert [frame.index for name, frame, _ in found if name == source] == list(range(10))
    assert any(len(tracks) for _, _, tracks in found)
    assert "none.mp4" in capsys.readouterr().err


def test_the_function_of_the_web_page(clip):
    from posetrack import open_source

    image = next(open_source(clip)).image[..., ::-1]
    find_people = load("gradio_app").make_function()
    annotated, found = find_people(image)
    assert annotated.shape == image.shape
    assert len(found["people"]) > 0
    assert find_people(image)[1] == found  # one image continues no other one


def test_the_web_page_is_built():
    gradio = pytest.importorskip("gradio", reason="needs gradio")
    app = gradio.Interface(lambda image: (image, {}), gradio.Image(), [gradio.Image(), gradio.JSON()])
    assert app.fn


@pytest.mark.slow
def test_the_notebook_runs(clip, tmp_path):
    """In a separate kernel; a cell that fails raises."""
    import nbformat
    from nbclient import NotebookClient

    shutil.copy(clip, tmp_path / "video.mp4")
    notebook = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # the file holds none
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert "<svg" in shown[0]["text/html"]
    assert "image/png" in shown[1]
    assert "count" in shown[-1]["text/html"]


@pytest.mark.parametrize("path", [*EXAMPLES, ROOT / "demo.py"], ids=lambda path: path.stem)
def test_examples_use_public_names_alone(path):
    import posetrack

    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.module.startswith("posetrack")
        elif isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("posetrack.")]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "posetrack":
            assert node.attr in posetrack.__all__


def test_the_demo_imports_posetrack_alone():
    tree = ast.parse((ROOT / "demo.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"posetrack", "sys"}


def test_the_demo_shows_every_frame(clip, monkeypatch):
    shown = []

    class Screen:
        closed = False

        def __init__(self, title):
            self.title = title

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, image, time):
            shown.append(time)
            self.closed = len(shown) == 4

    import posetrack

    monkeypatch.setattr(posetrack, "Window", Screen, raising=False)
    spec = importlib.util.spec_from_file_location("demo", ROOT / "demo.py")
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    demo.main(clip)
    assert shown == pytest.approx([0, 0.1, 0.2, 0.3])  # it ends when the window is closed


@pytest.mark.slow
def test_examples_pass_mypy_strict(tmp_path):
    """On the editable install, whose packages lie under their own names; see docs/decisions/0001."""
    config = ROOT / "pyproject.toml"
    options = ["--strict", "--config-file", str(config), "--cache-dir", str(tmp_path), "--follow-imports", "silent"]
    files = [str(path) for path in (*EXAMPLES, ROOT / "demo.py")]
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 0, result.stdout + result.stderr
