"""Malicious files of weights, in every order of loading."""

import argparse
import importlib
import io
import os
import pathlib
import pickle
import subprocess
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from posetrack.errors import ModelError
from posetrack.models.networks.ultralytics_import import load_tasks
from posetrack.models.networks.yolo import build
from posetrack.models.training import checkpoint as runs
from posetrack.models.weights import checkpoint, detectors, torch_file
from posetrack.models.weights.pickle_interpreter import Record

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSETRACK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield load_tasks()


@pytest.fixture(scope="module")
def detector(tasks, tmp_path_factory):
    """A harmless detector, as Ultralytics writes it."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("detector") / "good.pt"
    torch.save({"model": small(tasks).half()}, path)
    return path


def small(tasks):
    """Return a detector of Ultralytics' of few layers."""
    convolutions = [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]]]
    backbone = [*convolutions, [-1, 1, "SPPF", [16, 5]], [-1, 1, "nn.Upsample", [None, 2, "nearest"]]]
    head = [[[1, 2, 3], 1, "Detect", ["nc"]]]
    return tasks.DetectionModel({"nc": 1, "backbone": backbone, "head": head}, verbose=False)


class Call:
    """What a pickle of it asks to be called."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked

    def __call__(self):
        """Never called; a pickle needs it to be callable."""


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
    "pose.pth": checkpoint.load_checkpoint,
    "backbone.pkl": checkpoint.read_state,
    "detector.pt": detectors.load,
    "training.ckpt": runs._read,
}


@pytest.mark.parametrize("form", ["archive", "legacy", "0", "2", "5"])
def test_no_attack_runs_after_a_detector_was_read(tasks, detector, tmp_path, form):
    mark = tmp_path / "ran"
    detectors.load(detector)
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
    detectors.load(detector)
    assert [name for name in map(str, torch.serialization.get_safe_globals()) if "ultralytics" in name] == []


def test_only_the_pickle_interpreter_reads_pickles_of_weights():
    sources = [path for room in ("posetrack", "models", "tracker") for path in (ROOT / room).rglob("*.py")]
    forbidden = ("torch.load(", "safe_globals", "torch_safe_load", "weights_only", "load_checkpoint(weight")
    assert [path.name for path in sources if any(word in path.read_text() for word in forbidden)] == []


class Storage:
    """A stand-in for a storage with as many numbers as a file states."""

    def __init__(self, numel):
        self.numel = numel


class Stating(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", torch.FloatStorage, "0", "cpu", value.numel) if isinstance(value, Storage) else None


def archive(path, content, *, compression=zipfile.ZIP_STORED):
    """Write an archive like `torch.save`'s with a pickle and a storage of 8 bytes."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("evil/data.pkl", content)
        file.writestr("evil/data/0", bytes(8))


def stating(numel, offset, shape, stride):
    buffer = io.BytesIO()
    tensor = Call(torch._utils._rebuild_tensor_v2, Storage(numel), offset, shape, stride, False, OrderedDict())
    Stating(buffer, protocol=2).dump({"state_dict": {"weight": tensor}})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (stating(2**40, 0, (2**40,), (1,)), "more bytes than the file has"),
        (stating(-1, 0, (1,), (1,)), "is not a count"),
        (stating(2, 0, (2**40,), (0,)), "larger than its storage"),
        (stating(2, 0, (2**20, 2**20), (1, 0)), "larger than its storage"),
        (stating(2, 2**40, (1,), (1,)), "larger than its storage"),
        (stating(2, 1, (2,), (-1,)), "is not a count"),
        (stating(2, 0, (2,), (1, 1)), "shorter|longer|damaged"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "contains no tensors"),  # a place of the memo that would take 16 GB
        (b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b"abc.", "not a readable"),
        (b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"abc.", "not a readable"),
        (b"L" + b"9" * 140_000 + b"L\n.", "not a readable"),
        (b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b".", "contains no tensors"),
        (
            b"\x80\x02})" + b"\x85" * 300_000 + b"Ns.",
            "contains no tensors",
        ),  # a key whose hash would overflow the stack
        (b"\x80\x02\x82\x01.", "opcode EXT1"),
        (b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x02\x85R.", "calls builtins.bytearray"),
        (b"", "not a readable"),
        (b"\x80\x02", "not a readable"),
        (b"0.", "not a readable"),
    ],
)
def test_what_a_pickle_states_takes_no_memory(tmp_path, content, sentence):
    archive(tmp_path / "evil.pth", content)
    with pytest.raises(ModelError, match=sentence):
        checkpoint.read_state(tmp_path / "evil.pth")


def test_an_archive_that_unpacks_to_more_than_the_file_is_refused(tmp_path):
    archive(tmp_path / "evil.pth", bytes(10**7), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="compressed"):
        checkpoint.read_state(tmp_path / "evil.pth")


def test_a_tensor_under_many_names_does_not_multiply(tmp_path):
    torch.save({f"blocks.{i}.weight": torch.zeros(1000) for i in range(5000)}, tmp_path / "many.pth")
    with pytest.raises(ModelError, match="5000 tensors"):
        checkpoint.read_state(tmp_path / "many.pth")
    one = torch.zeros(1000)
    torch.save({f"blocks.{i}.weight": one for i in range(100)}, tmp_path / "same.pth")
    with pytest.raises(ModelError, match="repeat the same values"):
        checkpoint.read_state(tmp_path / "same.pth")


@pytest.mark.parametrize(
    "state",
    [
        {"backbone.layers.0.conv.weight": torch.zeros(1), "pos_embed": torch.zeros(1, 10**6, 1, 1)},
        {"backbone.layers.0.conv.weight": torch.zeros(1), "pos_embed": torch.zeros(3)},
        {"reduce.weight": torch.zeros(10**6, 1), "final_layer.weight": torch.zeros(1),
         "global_encoder.layers.0.linear1.weight": torch.zeros(10**6)},
        {"query_embed.weight": torch.zeros(1, 10**6), "transformer.lin_proj_mem.weight": torch.zeros(1),
         "transformer.encoder.patch_embed.proj.weight": torch.zeros(1, 1, 1, 1)},
        {"backbone.patch_embed.proj.weight": torch.zeros(384, 1), "backbone.pos_embed": torch.zeros(1, 1, 1),
         "keypoint_head.final_layer.weight": torch.zeros(10**6)},
    ],
)  # fmt: skip
def test_shapes_that_fit_no_network_take_no_memory(state):
    with pytest.raises(ModelError, match=r"impossible shapes|does not fit"):
        checkpoint.load_checkpoint(state)


@pytest.mark.parametrize("size", [[10**6, 10**6], [-1, 5], [0, 0]])
def test_a_crop_of_absurd_size_is_refused(tmp_path, size):
    torch.save({"state_dict": {"a": torch.zeros(1)}, "hyper_parameters": {"input_size": size}}, tmp_path / "evil.ckpt")
    with pytest.raises(ModelError, match="2048 pixels"):
        checkpoint.load_checkpoint(tmp_path / "evil.ckpt")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Tensors and metadata of a file that loads."""
    state = {key: value.contiguous() for key, value in build("yolov8n").state_dict().items()}
    metadata = {"architecture": "yolov8n", "size": "64"}
    good = tmp_path_factory.mktemp("published") / "good.safetensors"
    save_file(state, good, metadata)
    assert detectors.load(good).size == 64
    return state, metadata


@pytest.mark.parametrize(
    "changed",
    [{"size": "1e9"}, {"size": "nan"}, {"size": "-1"}, {"architecture": "yolov8n.yaml"}, {"architecture": "yolov8x"}],
)
def test_metadata_takes_no_memory(published, tmp_path, changed):
    state, metadata = published
    save_file(state, tmp_path / "evil.safetensors", metadata | changed)
    with pytest.raises(ModelError, match=r"disagree|not one of"):
        detectors.load(tmp_path / "evil.safetensors")


def header(text, length=None):
    return (len(text) if length is None else length).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        header(b"{}", 2**63),
        header(b"{}", 2**40),
        header(b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}') + bytes(8),
        header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}')
        + bytes(8),
        header(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}') + bytes(8),
        header(b'{"a":' * 100_000),
        b"",
    ],
)  # fmt: skip
def test_a_false_header_is_refused(tmp_path, content):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(content)
    for reader in (checkpoint.load_checkpoint, detectors.load):
        with pytest.raises(ModelError):
            reader(path)


def test_an_archive_of_arrays_is_no_file_of_weights(tmp_path):
    mark = tmp_path / "ran"
    evil = np.array([Call(os.system, f"touch '{mark}'")], dtype=object)
    with (tmp_path / "evil.npz").open("wb") as file:
        np.savez(file, weight=evil)
    (tmp_path / "evil.pt").write_bytes((tmp_path / "evil.npz").read_bytes())
    for reader, name in ((checkpoint.load_checkpoint, "evil.npz"), (detectors.load, "evil.pt")):
        with pytest.raises(ModelError, match=r"no data\.pkl"):
            reader(tmp_path / name)
    assert not mark.exists()


def layer(model, kind):
    return next(module for module in model.modules() if isinstance(module, kind))


def changed_padding(model):
    layer(model, nn.Conv2d).padding = (10**6, 10**6)


def changed_scale(model):
    layer(model, nn.Upsample).scale_factor = 10.0**5


def changed_kernel(model):
    pool = layer(model, nn.MaxPool2d)
    pool.padding, pool.kernel_size, pool.stride = 10**5, 2 * 10**5, 1


def changed_stride(model):
    model.stride = torch.tensor([1e9])


def changed_names(model):
    model.names = {0: 5}


def changed_repeats(model):
    next(module for module in model.modules() if type(module).__name__ == "SPPF").n = 10**9


def changed_source(model):
    model.model[4].f = [1, 2, 10**9]


def changed_layer(model):
    model.model[2] = model.model[1]


def changed_cycle(model):
    model.model[2].add_module("again", model.model[2])


def changed_class(model):
    model.model[2] = checkpoint.POTR.__new__(checkpoint.POTR)
    nn.Module.__init__(model.model[2])


@pytest.mark.parametrize("change", [value for name, value in globals().items() if name.startswith("changed_")])
def test_a_detector_of_changed_layers_is_refused_before_it_runs(tasks, tmp_path, change):
    model = small(tasks)
    change(model)
    torch.save({"model": model}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match=r"evil\.pt"):
        detectors.load(tmp_path / "evil.pt")


def test_what_a_detector_calls_before_or_after_its_layers_stays_away(tasks, tmp_path):
    mark = tmp_path / "ran"
    model = small(tasks)
    model.model[0]._forward_pre_hooks[0] = pathlib.Path.touch
    model.model[0].forward = 5
    model.criterion = mark
    torch.save({"model": model}, tmp_path / "evil.pt")
    with torch.no_grad():
        detectors.load(tmp_path / "evil.pt")(torch.zeros(1, 3, 64, 64))
    assert not mark.exists()


@pytest.mark.parametrize("size", [10**9, -1, "640", [10**9]])
def test_a_detector_of_absurd_images_is_refused(tasks, tmp_path, size):
    model = small(tasks)
    torch.save({"model": model, "train_args": {"imgsz": size}}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="image size of"):
        detectors.load(tmp_path / "evil.pt")


def answers(value):
    """Return the tensors of a detector's answer."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [tensor for part in parts for tensor in answers(part)]


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("DetectionModel", "yolov8n.yaml"),
        ("DetectionModel", "yolov10n.yaml"),
        ("DetectionModel", "yolo12n.yaml"),
        ("DetectionModel", "yolo26n.yaml"),
        ("PoseModel", "yolo26n-pose.yaml"),
        ("SegmentationModel", "yolov8n-seg.yaml"),
        ("DetectionModel", "yolov9t.yaml"),
    ],
)
@pytest.mark.slow
def test_a_network_of_ultralytics_comes_back_equal(tasks, tmp_path, network, name):
    """As it is trained, and as it is deployed: with its batch norms merged into its convolutions."""
    torch.manual_seed(0)
    model = getattr(tasks, network)(name, verbose=False)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    torch.save({"model": model.eval()}, tmp_path / "trained.pt")
    model.fuse(verbose=False)
    torch.save({"model": model}, tmp_path / "deployed.pt")
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = answers(model(images))
        for file in ("trained.pt", "deployed.pt"):
            found = answers(detectors.load(tmp_path / file)(images))
            assert len(found) == len(expected)
            assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("form", ["archive", "legacy"])
def test_tensors_come_back_as_they_were(tmp_path, form):
    base = torch.randn(4, 6)
    kinds = (
        torch.float16,
        torch.bfloat16,
        torch.float64,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
    )
    state = OrderedDict(
        whole=base, turned=base.t(), part=base[1:3, 2:], scalar=torch.tensor(3.0), empty=torch.zeros(0, 5),
        parameter=nn.Parameter(base * 2), mask=base > 0, **{str(kind): (base * 9).to(kind) for kind in kinds},
    )  # fmt: skip
    write(tmp_path / "state.pth", {"state_dict": state, "epoch": 3, "names": {0: "a"}, "set": {1}}, form)
    read = torch_file.read(tmp_path / "state.pth")
    assert (read["epoch"], read["names"], read["set"]) == (3, {0: "a"}, [1])
    assert read["state_dict"].keys() == state.keys()
    for name, value in state.items():
        expected = value.float() if value.is_floating_point() else value
        assert torch.equal(read["state_dict"][name], expected), name


def test_objects_of_a_training_framework_are_records(tmp_path):
    settings = argparse.Namespace(width=3)
    torch.save({"state_dict": {"a": torch.ones(2)}, "args": settings, "best": np.float64(0.5)}, tmp_path / "a.ckpt")
    read = torch_file.read(tmp_path / "a.ckpt")
    assert (read["args"].name, read["args"].state) == ("argparse.Namespace", {"width": 3})
    assert isinstance(read["best"], Record)
    assert checkpoint.read_state(tmp_path / "a.ckpt")["a"].tolist() == [1, 1]
