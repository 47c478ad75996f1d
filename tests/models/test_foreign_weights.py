"""Files of weights that an enemy wrote, in every order of loading."""

import importlib
import os
import pickle
import subprocess
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from posetrack.errors import ModelError
from posetrack.models import weights, yolo
from posetrack.models.training import checkpoint

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSETRACK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield yolo._ultralytics()


@pytest.fixture(scope="module")
def detector(tasks, tmp_path_factory):
    """A harmless detector, as Ultralytics writes it."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("detector") / "good.pt"
    torch.save({"model": tasks.DetectionModel("yolo11n.yaml", nc=1, verbose=False).half()}, path)
    return path


class Call:
    """What a pickle of it asks to be called."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked

    def __call__(self):
        """Never called; a pickle wants it callable, to call what it returns."""


class Later(Call):
    """A call that waits for an attribute to be set."""

    def __reduce__(self):
        function, arguments = self.asked
        return OrderedDict, (), {"a": Call(function, *arguments)}


def network(activation):
    """Return a description of a network whose activation is evaluated by Ultralytics."""
    backbone = [[-1, 1, "Conv", [8, 3, 2]]] * 3
    return {"nc": 1, "activation": activation, "backbone": backbone, "head": [[[0, 1, 2], 1, "Detect", ["nc"]]]}


def attacks(tasks, mark):
    command, code = f"touch '{mark}'", f"__import__('pathlib').Path({str(mark)!r}).touch()"
    return {
        "system": Call(os.system, command),
        "popen": Call(subprocess.check_output, ["touch", str(mark)]),
        "eval": Call(eval, code),
        "network": Call(tasks.DetectionModel, network(code), 3, 1, False),
        "pose": Call(tasks.PoseModel, network(code), 3, 1, (17, 3), False),
        "parser": Call(tasks.parse_model, network(code), 3, False),
        "loader": Call(tasks.torch_safe_load, str(mark), False),
        "getattr": Call(Call(getattr, Call(importlib.import_module, "os"), "system"), command),
        "later": Later(os.system, command),
        "torch": Call(torch.load, str(mark)),
        "tensor": Call(torch._utils._rebuild_tensor_v2, Call(os.system, command), 0, (1,), (1,), False, OrderedDict()),
    }


NAMES = ("system", "popen", "eval", "network", "pose", "parser", "loader", "getattr", "later", "torch", "tensor")


def write(path, value, form):
    if form == "archive":
        torch.save(value, path)
    elif form == "legacy":
        torch.save(value, path, _use_new_zipfile_serialization=False)
    else:
        path.write_bytes(pickle.dumps(value, protocol=int(form)))


READERS = {
    "pose.pth": weights.load_checkpoint,
    "backbone.pkl": weights.read_state,
    "detector.pt": yolo.load,
    "training.ckpt": checkpoint._read,
}


@pytest.mark.parametrize("form", ["archive", "legacy", "0", "2", "5"])
def test_no_attack_runs_after_a_detector_was_read(tasks, detector, tmp_path, form):
    mark = tmp_path / "ran"
    yolo.load(detector)
    for name in NAMES:
        value = attacks(tasks, mark)[name]
        for wrapped in (value, {"model": value}, {"state_dict": {"weight": torch.zeros(2), "x": value}}):
            for file, reader in READERS.items():
                write(tmp_path / file, wrapped, form)
                with pytest.raises(ModelError) as caught:
                    reader(tmp_path / file)
                assert "\n" not in str(caught.value)
                assert not mark.exists(), (name, file)


def test_reading_a_detector_declares_nothing_safe_to_torch(detector):
    yolo.load(detector)
    assert [name for name in map(str, torch.serialization.get_safe_globals()) if "ultralytics" in name] == []


def test_nothing_but_the_inert_reader_reads_pickles_of_weights():
    sources = [path for room in ("posetrack", "models", "tracker") for path in (ROOT / room).rglob("*.py")]
    forbidden = ("torch.load(", "safe_globals", "torch_safe_load", "weights_only", "load_checkpoint(weight")
    assert [path.name for path in sources if any(word in path.read_text() for word in forbidden)] == []
