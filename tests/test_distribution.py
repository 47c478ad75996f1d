"""Files for publishing agree with the project: versions, workflows, containers, links."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from posetrack import __version__

ROOT = Path(__file__).parents[1]
YAML = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / "compose.yaml", ROOT / "CITATION.cff"]


def tasks():
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "tasks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_files_are_yaml(path):
    assert isinstance(read(path), dict)


def test_the_citation_has_this_version():
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == __version__
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_the_steps_of_workflows_exist(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            command = step.get("run", "")
            if command.startswith("python tasks.py "):
                assert set(command.split()[2:]) <= set(tasks().TASKS)
            if command.startswith((".ci/", "./")):
                assert (ROOT / command).stat().st_mode & 0o100


def test_the_workflow_covers_the_supported_pythons():
    matrix = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["quickstart"]["strategy"]["matrix"]
    assert tuple(matrix["python"]) == tasks().PYTHONS


def test_the_commands_of_containers_parse():
    from posetrack.tracker.cli import build_parser

    services = read(ROOT / "compose.yaml")["services"]
    assert set(services) == {"camera", "stream"}
    for service in services.values():
        words = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word) for word in service["command"]]
        assert build_parser().parse_args(words).csv.endswith(".csv")


def test_the_image_runs_as_a_user_and_starts_posetrack():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1:] == ["1000"]  # a number: a host may require that it is not root's
    assert 'ENTRYPOINT ["posetrack"]' in lines
    copied = re.findall(r"/src/([\w.]+)", "\n".join(lines))
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    extras = set(re.findall(r"EXTRAS='\[(\w+)\]'", "\n".join(lines)))
    assert extras
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extras <= project["optional-dependencies"].keys()


def test_links_become_absolute():
    absolute = tasks().absolute
    assert absolute("![a](docs/a.jpg)", "https://x/y", "v1") == "![a](https://x/y/raw/v1/docs/a.jpg)"
    assert (
        absolute("[a](LICENSE) [b](https://z)", "https://x/y", "v1")
        == "[a](https://x/y/blob/v1/LICENSE) [b](https://z)"
    )
    page = absolute((ROOT / "README.md").read_text(encoding="utf-8"), "https://x/y", "v1")
    assert not [target for target in re.findall(r"\]\(([^)]+)\)", page) if not target.startswith("https://")]
