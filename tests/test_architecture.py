"""Check the imports against the table of rooms in docs/architecture.md, and the packaging against the folders.

A room is a folder of `tracker/` or `models/`, or a module beside these folders; those of `DIVIDED` have
rooms inside.
"""

import ast
import functools
import graphlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from gaps import gappy

from posetrack.tracker.formats.files import write_recording

ROOT = Path(__file__).parents[1]
PACKAGES = ("posetrack", "tracker", "models", "configs")
HEAVY = {"numba", "torch", "timm", "filterpy", "cv2", "ultralytics", "av", "PIL", "scipy", "rich", "bokeh"} | {
    "matplotlib",
    "fastapi",
}

DAYTIME = re.compile(r"\btime\.time\(|datetime\.now|\.utcnow|\.today\(")
DIVIDED = {"tracker.features", "tracker.serve"}

# From the bottom up: the rooms of posetrack, then the libraries, that each room may import; all may import errors and
# numeric. A room with rooms inside includes all of them.
ALLOWED = {
    "errors": "",
    "numeric": "",
    "version": "",
    "installation": "",
    "image": "numpy cv2",
    "configs": "",
    "models": "",
    "models.cache": "platformdirs",
    "models.geometry": "numpy cv2 torch PIL",
    "models.networks": "models.cache models.geometry | numpy cv2 torch timm ultralytics PIL",
    "models.weights": "models.cache models.geometry models.networks | torch safetensors huggingface_hub rich "
    "transformers",
    "models.foreign": "models.geometry models.weights",
    "models.attention": "models.geometry models.networks | numpy cv2 torch",
    "models.evaluation": "models.geometry | numpy scipy faster_coco_eval",
    "models.export": "models.weights | numpy torch openvino",
    "models.training": "image configs models.cache models.evaluation models.geometry models.networks models.weights | "
    "numpy cv2 torch scipy lightning_fabric safetensors huggingface_hub rich tomli_w",
    "tracker": "",
    "tracker.types": "installation models.geometry | numpy",
    "tracker.timings": "numpy",
    "tracker.partial": "",
    "tracker.video": "image tracker.types tracker.partial | numpy cv2 av PIL pillow_heif",
    "tracker.remote": "installation tracker.partial tracker.video",
    "tracker.perception": "version installation tracker.types models.cache models.export models.foreign "
    "models.geometry models.weights | numpy cv2 filelock torch onnxruntime",
    "tracker.tracking": "tracker.types models.cache models.geometry | numpy numba filterpy",
    "tracker.features": "",
    "tracker.features.kinematics": "models.geometry | numpy",
    "tracker.features.calibration": "tracker.types tracker.features.kinematics models.geometry | numpy",
    "tracker.features.extraction": "tracker.types tracker.features.kinematics tracker.features.calibration "
    "models.geometry | numpy",
    "tracker.features.events": "tracker.types tracker.features.kinematics tracker.features.calibration "
    "tracker.features.extraction models.geometry | numpy",
    "tracker.features.movement": "tracker.features.kinematics tracker.features.extraction tracker.features.events "
    "| numpy",
    "tracker.formats": "installation tracker.types tracker.partial tracker.features.calibration "
    "tracker.features.extraction models.geometry | numpy",
    "tracker.output": "version models.cache models.geometry tracker.types tracker.timings tracker.partial "
    "tracker.video tracker.tracking tracker.features tracker.formats | numpy cv2 rich",
    "tracker.report": "image version tracker.types tracker.partial tracker.features tracker.formats tracker.output "
    "tracker.summary tracker.video | numpy cv2 bokeh jinja2 markupsafe matplotlib",
    "tracker.summary": "installation tracker.partial tracker.features.kinematics tracker.features.extraction "
    "tracker.features.movement "
    "tracker.formats tracker.output | numpy",
    "tracker.stages": "tracker.perception",
    "tracker.config": "configs tracker.features.calibration tracker.tracking",
    "tracker.pipeline": "models.geometry tracker.types tracker.timings tracker.perception tracker.tracking | numpy",
    "tracker.load": "installation tracker.types tracker.perception tracker.tracking tracker.config tracker.pipeline",
    "tracker.loop": "tracker.types tracker.timings tracker.video tracker.stages tracker.pipeline",
    "tracker.track": "installation tracker.types tracker.video tracker.perception tracker.output tracker.stages "
    "tracker.pipeline tracker.load tracker.loop | numpy",
    "tracker.run": "models.cache tracker.types tracker.timings tracker.partial tracker.video tracker.remote "
    "tracker.perception "
    "tracker.tracking tracker.features tracker.formats tracker.output tracker.report tracker.stages tracker.config "
    "tracker.pipeline tracker.load tracker.loop",
    "tracker.batch": "installation tracker.types tracker.partial tracker.video tracker.perception "
    "tracker.formats tracker.output tracker.stages tracker.config tracker.pipeline tracker.loop "
    "tracker.run | cv2 rich",
    "tracker.evaluation": "image tracker.types tracker.partial tracker.tracking tracker.formats tracker.output "
    "models.evaluation models.geometry | numpy cv2 scipy rich trackeval",
    "tracker.benchmark": "version models.geometry models.weights tracker.types tracker.video tracker.perception "
    "tracker.tracking tracker.output tracker.stages tracker.pipeline tracker.load tracker.loop tracker.evaluation | "
    "numpy cv2 torch filterpy",
    "tracker.serve": "",
    "tracker.serve.web": "tracker.features.calibration tracker.features.events | fastapi pydantic starlette "
    "prometheus_client",
    "tracker.serve.live": "image models.geometry tracker.types tracker.features tracker.pipeline tracker.serve.web | "
    "numpy PIL fastapi pydantic starlette",
    "tracker.serve.cameras": "tracker.types tracker.partial tracker.timings tracker.video tracker.output "
    "tracker.serve.web tracker.serve.live | numpy cv2 fastapi pydantic",
    "tracker.serve.videos": "version tracker.video tracker.formats tracker.config tracker.run tracker.batch "
    "tracker.serve.web | rich fastapi starlette",
    "tracker.serve.pages": "version | fastapi starlette",
    "tracker.serve.settings": "tracker.config",
    "tracker.serve.app": "version tracker.pipeline tracker.serve.web tracker.serve.live tracker.serve.cameras "
    "tracker.serve.videos tracker.serve.pages tracker.serve.settings | fastapi pydantic",
    "tracker.serve.server": "tracker.pipeline tracker.load tracker.serve.live tracker.serve.cameras "
    "tracker.serve.settings tracker.serve.app | numpy uvicorn",
    "tracker.cli": "* | cv2 rich safetensors shtab",
    "__main__": "tracker.cli",
}

# Single modules that hold themselves to less than their room.
PLAIN = {"models.geometry.keypoints": {"numpy"}, "models.geometry.skeletons": {"numpy"}}


def modules():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts if package == "posetrack" else ("posetrack", *parts))
            yield name.removesuffix(".__init__"), path


MODULES = dict(modules())


@functools.cache
def imports(name, path):
    """Return every imported module, relative imports resolved, anywhere in a file."""
    return set(_imports(name, path))


def _imports(name, path):
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                own = f"{target}.{alias.name}"
                yield own if own in MODULES else target


def room(name):
    """Return the room of a module of posetrack: `tracker.video` for `posetrack.tracker.video.source`."""
    parts = name.split(".")[1:]
    depth = (1, 2, 3)[(parts[0] in ("tracker", "models")) + (".".join(parts[:2]) in DIVIDED)]
    return ".".join(parts[:depth])


def covers(allowed, target):
    """Whether an entry of the table allows a room: the room itself, or one inside it."""
    return target == allowed or target.startswith(f"{allowed}.")


@functools.cache
def doors():
    """Return which rooms and libraries each room imports, with the module that does: {(room, target): module}."""
    found = {}
    for name, path in MODULES.items():
        for target in imports(name, path) if name != "posetrack" else ():
            top = target.partition(".")[0]
            if top == "posetrack":
                target = room(target) if target != "posetrack" else "configs"  # `from ... import configs`
            elif top in sys.stdlib_module_names:
                continue
            if target != room(name):
                found[room(name), target if top == "posetrack" else top] = name
    return found


def test_every_room_is_in_the_table():
    assert {room(name) for name in MODULES if name != "posetrack"} == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_room_imports_what_it_may(name):
    allowed = set(ALLOWED[name].split()) | {"errors", "numeric"}
    found = {target: module for (source, target), module in doors().items() if source == name}
    if "*" in allowed:
        allowed |= set(ALLOWED) - {"__main__"}
    unexpected = {
        f"{module} imports {target}"
        for target, module in found.items()
        if not any(covers(entry, target) for entry in allowed)
    }
    assert not unexpected, f"{name} may import only {', '.join(sorted(allowed))}"


def test_the_table_allows_nothing_that_is_not_used():
    used = doors()
    unused = {
        f"{name}: {target}"
        for name, targets in ALLOWED.items()
        for target in set(targets.split()) - {"|", "*"}
        if not any(source == name and covers(target, found) for source, found in used)
    }
    assert not unused


def test_rooms_import_in_no_circle():
    graph = {name: set() for name in ALLOWED}
    for source, target in doors():
        if target in ALLOWED:
            graph[source].add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"A circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("name", PLAIN)
def test_data_loads_no_network_library(name):
    name = f"posetrack.{name}"
    found = {target.partition(".")[0] for target in imports(name, MODULES[name])} - {"posetrack"}
    assert found - set(sys.stdlib_module_names) <= PLAIN[name.removeprefix("posetrack.")]


def test_imports_within_posetrack_are_relative():
    absolute = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and not node.level and node.module.partition(".")[0] in PACKAGES)
        or (isinstance(node, ast.Import) and any(alias.name.partition(".")[0] in PACKAGES for alias in node.names))
    }
    assert not absolute


def test_only_records_and_leftovers_have_the_time_of_day():
    """It may jump, forward and backward, so that frames and waits have a monotonic clock."""
    of_day = {
        str(path.relative_to(ROOT)) for path in (ROOT / "tracker").rglob("*.py") if DAYTIME.search(path.read_text())
    }
    assert of_day == {
        "tracker/batch/entries.py",
        "tracker/benchmark/first_frame.py",  # shared with another process
        "tracker/benchmark/startup.py",
        "tracker/partial/transaction.py",
        "tracker/run/facts.py",  # a record: when a source was analysed
        "tracker/video/source.py",  # a record: when the time of a live source was 0
        "tracker/perception/runtimes/store.py",
        "tracker/remote/scratch.py",
        "tracker/serve/videos/jobs.py",
    }


@pytest.mark.parametrize("library", ["ultralytics", "numba"])
def test_a_large_library_has_one_door(library):
    doors = {name for name, path in MODULES.items() if any(t.split(".")[0] == library for t in imports(name, path))}
    assert len(doors) == 1, doors


@pytest.mark.parametrize("statement", ["import posetrack", "import posetrack.tracker.cli"])
def test_importing_loads_nothing_heavy(statement):
    code = f"import sys; {statement}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == ""


@pytest.mark.slow
def test_the_first_start_of_the_bundled_networks_loads_no_timm():
    code = """
import sys
from posetrack.models.weights.checkpoint import load_checkpoint
from posetrack.models.weights.locate import locate_weights
from posetrack.tracker.tracking.tracker import warm_up
load_checkpoint(locate_weights("bundled").path), warm_up()
print("torch" in sys.modules, "timm" in sys.modules, "filterpy" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == ["True", "False", "False"]


def test_converting_a_table_loads_no_compiler_and_no_network(tmp_path):
    write_recording(tmp_path / "a.csv", gappy())
    code = f"""
import sys
from posetrack.tracker.cli import main
main(["convert", {str(tmp_path / "a.csv")!r}, "--out", {str(tmp_path / "b.mot.txt")!r}])
print(*sorted({{"numba", "torch", "openvino", "filterpy", "scipy"}} & set(sys.modules)), file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (tmp_path / "b.mot.txt").exists()
    assert result.stderr.splitlines()[-1] == ""


def test_every_package_is_listed_for_the_wheel():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    assert listed == {name for name, path in MODULES.items() if path.name == "__init__.py"}


def test_public_names_exist():
    import posetrack

    for name in posetrack.__all__:
        assert getattr(posetrack, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        posetrack.nonsense  # noqa: B018
