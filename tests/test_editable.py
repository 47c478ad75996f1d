"""An editable install runs from the checkout, and shows editors and type checkers what it holds."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("posetrack", "tracker", "models", "configs")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in")
USE = """\
from posetrack import PoseTracker, load_pipeline
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.types import Frame

reveal_type(load_pipeline())
reveal_type(PoseTracker())
reveal_type(COCO)
load_pipeline(devise="cpu")
"""


def run(*command, cwd):
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout, without weights and without links of an earlier install."""
    place = tmp_path_factory.mktemp("clone") / "posetrack"
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "*.safetensors", *FOLDERS if folder == "posetrack" else ())
        shutil.copytree(ROOT / folder, place / folder, ignore=ignored)
    for file in FILES:
        shutil.copy(ROOT / file, place)
    return place


@pytest.fixture(scope="module")
def python(checkout):
    """The Python of an empty environment with the checkout installed as pip installs it, without dependencies."""
    folder = checkout.parent
    build = f"from setuptools import build_meta; build_meta.build_editable({str(folder)!r})"
    for _ in range(2):  # the second time, the links are there
        result = run(sys.executable, "-W", "ignore", "-c", build, cwd=checkout)
        assert result.returncode == 0, result.stderr
    venv.create(folder / "venv", symlinks=True)
    python = next(path for path in (folder / "venv").glob("[bS]*/python*"))
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout.strip()
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return python


@pytest.mark.slow
def test_a_type_checker_sees_every_package(python, tmp_path):
    (tmp_path / "use.py").write_text(USE)
    message = run(sys.executable, "-m", "mypy", "--python-executable", python, "use.py", cwd=tmp_path).stdout
    assert 'type is "posetrack.tracker.pipeline.Pipeline"' in message
    assert 'type is "posetrack.tracker.tracking.tracker.PoseTracker"' in message
    assert 'type is "posetrack.models.geometry.keypoints.Skeleton"' in message
    assert 'Unexpected keyword argument "devise"' in message
    assert message.count("error:") == 1


def test_it_runs_from_the_checkout_and_sees_new_files(python, checkout, tmp_path):
    (checkout / "tracker" / "later.py").write_text("VALUE = 7\n")
    code = "import posetrack.tracker.later as it, posetrack.models, posetrack.configs; print(it.VALUE)"
    assert run(python, "-c", code, cwd=tmp_path).stdout.strip() == "7"


@pytest.mark.parametrize("name", ["tracker", "models", "configs", "tests", "setup"])
def test_nothing_but_posetrack_becomes_importable(python, tmp_path, name):
    assert "ModuleNotFoundError" in run(python, "-c", f"import {name}", cwd=tmp_path).stderr


def test_a_wheel_is_built_from_the_folders_themselves(python, checkout, tmp_path):
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    result = run(sys.executable, "-W", "ignore", "-c", build, cwd=checkout)
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".py")]
    assert len(names) == len(set(names))
    assert "posetrack/tracker/pipeline.py" in names
    assert all(name.startswith("posetrack/") for name in names)
