"""Holds the imports to the layers of docs/decisions/0001-layout.md, and the packaging to the folders."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("posetrack", "tracker", "models", "configs")
HEAVY = {
    "numba", "torch", "timm", "filterpy", "cv2", "ultralytics", "av", "PIL", "scipy", "rich", "bokeh", "matplotlib",
}  # fmt: skip

FORBIDDEN = {  # what a module of this prefix may not import, directly, anywhere in its file
    "posetrack.errors": ("*",),
    "posetrack.models.geometry.keypoints": ("torch", "cv2", "posetrack.tracker", "ultralytics"),
    "posetrack.models.geometry.skeletons": ("torch", "cv2", "posetrack.tracker", "ultralytics"),
    "posetrack.models": ("posetrack.tracker", "ultralytics", "av"),
    "posetrack.tracker.types": ("torch", "cv2", "posetrack.models"),
    "posetrack.tracker.tracking": ("torch", "cv2", "av", "posetrack.tracker.output", "posetrack.tracker.perception"),
    "posetrack.tracker.features": ("torch", "cv2", "av", "posetrack.tracker.output", "posetrack.tracker.perception"),
    "posetrack.tracker.video": ("torch", "posetrack.models", "posetrack.tracker.tracking"),
    "posetrack.tracker.output": ("torch", "ultralytics", "posetrack.tracker.perception"),
    "posetrack.tracker.report": ("torch", "ultralytics", "posetrack.tracker.perception"),
    "posetrack.tracker.perception": ("posetrack.tracker.tracking", "posetrack.tracker.output", "ultralytics"),
    "posetrack.tracker": ("ultralytics",),
}
EXCEPTIONS = {"posetrack.models.networks.yolo": ("ultralytics",)}


def modules():
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts if room == "posetrack" else ("posetrack", *parts))
            yield name.removesuffix(".__init__"), path


def imports(name, path):
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            yield target
            yield from (f"{target}.{alias.name}" for alias in node.names)


def within(target, prefix):
    return target == prefix or target.startswith(prefix + ".")


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_down(name, path):
    found = sorted(set(imports(name, path)))
    for prefix, forbidden in FORBIDDEN.items():
        if not within(name, prefix):
            continue
        for target in found:
            bad = [f for f in forbidden if (f == "*" and within(target, "posetrack")) or within(target, f)]
            bad = [f for f in bad if f not in EXCEPTIONS.get(name, ())]
            assert not bad, f"{name} imports {target}, which {prefix} may not"
    assert not [t for t in found if within(t, "tracker") or within(t, "models")], f"{name} must import relatively"


def test_ultralytics_has_one_door():
    doors = [name for name, path in modules() if any(within(t, "ultralytics") for t in imports(name, path))]
    assert doors == ["posetrack.models.networks.yolo"]


@pytest.mark.parametrize("statement", ["import posetrack", "import posetrack.tracker.cli"])
def test_importing_loads_nothing_heavy(statement):
    code = f"import sys; {statement}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == ""


def test_the_first_start_of_the_bundled_networks_loads_no_timm():
    code = """
import sys
from posetrack.models.find import find
from posetrack.models.weights import load_checkpoint
from posetrack.tracker.tracking.tracker import warm_up
load_checkpoint(find("bundled").path), warm_up()
print("torch" in sys.modules, "timm" in sys.modules, "filterpy" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == ["True", "False", "False"]


def test_every_package_is_listed_for_the_wheel():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    assert listed == {name for name, path in modules() if path.name == "__init__.py"}


def test_public_names_exist():
    import posetrack

    for name in posetrack.__all__:
        assert getattr(posetrack, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        posetrack.nonsense  # noqa: B018
