"""What is declared is what is used: extras, and libraries that must fit each other."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["full"]
PUBLIC = ("*.md", "*.toml", "*.txt", "tasks.py", "demo.py", ".ci/*")
ROOMS = ("posetrack", "tracker", "models", "configs", "docs", "tests")


def texts():
    for pattern in PUBLIC:
        yield from ROOT.glob(pattern)
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            text = path.suffix in {".py", ".md", ".toml", ".html", ".js"} and "data" not in path.parts
            if text and path != Path(__file__):
                yield path


def test_every_extra_that_is_named_exists():
    named = {}
    for path in texts():
        text = path.read_text(encoding="utf-8")
        listed = re.findall(r"""(?:posetrack|["' ]\.)\[([a-z0-9, -]+)\]""", text)
        asked = re.findall(r'\bextra="(?!forbid)([a-z0-9-]+)"', text)  # of the function `library`
        named |= {extra.strip(): path.relative_to(ROOT) for extras in (*listed, *asked) for extra in extras.split(",")}
    assert {"report", "formats", "eval", "train", "bench", "onnx", "int8", "dev"} <= set(named)
    unknown = {extra: path for extra, path in named.items() if extra not in PROJECT["optional-dependencies"]}
    assert not unknown, "these extras are named but not declared"


def test_every_extra_is_part_of_the_development_environment_or_says_why_not():
    extras = PROJECT["optional-dependencies"]
    taken = set(re.findall(r"posetrack\[(.*?)\]", " ".join(extras["dev"]))[0].split(","))
    assert set(extras) - taken == {"dev", "norfair"}  # norfair needs NumPy 1


@pytest.mark.parametrize("name", ["torch", "torchvision", "timm", "av", "opencv-python", "ultralytics", "filterpy"])
def test_what_a_major_release_may_break_has_a_bound(name):
    (expected,) = [line for line in RUNTIME if re.match(rf"{name}[^a-z-]", line)]
    assert "<" in expected


def test_torch_torchvision_and_timm_fit_each_other():
    import timm
    import torch
    import torchvision

    boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]], dtype=torch.float32)
    kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)
    np.testing.assert_array_equal(kept, [0, 2])
    with torch.no_grad():
        assert timm.create_model("resnet18", num_classes=2).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 2)


def test_the_constraints_lie_within_the_ranges():
    from packaging.requirements import Requirement

    expected = {r.name: r.specifier for r in map(Requirement, RUNTIME)}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    assert {pin.name for pin in pins} == {"torch", "torchvision", "timm"}
    for pin in pins:
        (version,) = pin.specifier
        assert version.version in expected[pin.name], pin
