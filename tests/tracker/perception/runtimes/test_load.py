"""Networks by name on every runtime: the same people, the same poses, and nothing loaded that is not needed."""

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from posetrack.errors import ModelError, UsageError
from posetrack.models import cache
from posetrack.models.weights.card import from_text
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.pose import load_pose_estimator
from posetrack.tracker.perception.runtimes import bundled, load, machine, openvino, store
from posetrack.tracker.types import Frame

ROOT = Path(__file__).parents[4]
BUNDLED = ROOT / "models" / "weights" / "bundled"
BUS = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets" / "bus.jpg"

pytest.importorskip("openvino", reason="needs openvino")


@pytest.fixture(scope="module")
def frame():
    return Frame(cv2.imread(str(BUS)), 0, 0.0)


@pytest.fixture(scope="module")
def reference(frame):
    detections = load_detector(device="cpu", runtime="torch")(frame)
    return detections, load_pose_estimator(device="cpu", runtime="torch")(frame, detections)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_every_runtime_finds_the_same(runtime, frame, reference):
    if runtime == "onnxruntime":
        pytest.importorskip("onnx", reason="needs onnx")
        pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    options = {"device": "cpu", "runtime": runtime, "precision": "fp32"}
    detections = load_detector(**options)(frame)
    poses = load_pose_estimator(**options)(frame, reference[0])
    np.testing.assert_allclose(detections.boxes, reference[0].boxes, atol=0.01)
    np.testing.assert_allclose(detections.scores, reference[0].scores, atol=1e-4)
    np.testing.assert_allclose(poses.scores, reference[1].scores, atol=5e-4)
    sure = reference[1].scores > 0.2
    np.testing.assert_allclose(poses.keypoints[sure], reference[1].keypoints[sure], atol=0.05)


@pytest.mark.parametrize("name", ["pose", "detector"])
def test_the_shipped_form_is_of_the_shipped_weights(name):
    card = from_text(bundled.read_card(BUNDLED / f"{name}.xml"))
    assert card.sha256 == cache.sha256(BUNDLED / f"{name}.safetensors"), "Run: python tasks.py networks"
    parts = [
        BUNDLED / f"{part}{suffix}" for part in ("pose", "detector") for suffix in (".safetensors", ".xml", ".bin")
    ]
    assert sum(part.stat().st_size for part in parts) < 25e6


def test_the_shipped_form_is_used_without_reading_the_weights_unless_it_is_of_others(tmp_path, monkeypatch):
    class Read(Exception):
        pass

    def read():
        raise Read

    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    words = {"device": "cpu", "runtime": "openvino"}
    for suffix in (".safetensors", ".xml", ".bin"):
        shutil.copy(BUNDLED / f"pose{suffix}", tmp_path)
    weights = tmp_path / "pose.safetensors"
    network, card = load.load_runtime("pose", "fitting", read, shipped=weights, **words)
    crops = np.zeros((2, 3, *card.input_size), np.float32)
    assert len(network(crops)) == 2
    with weights.open("ab") as file:
        file.write(b"other")
    with pytest.raises(Read):
        load.load_runtime("pose", "other", read, shipped=weights, **words)
    weights.with_suffix(".xml").unlink()
    with pytest.raises(Read):
        load.load_runtime("pose", "none", read, shipped=weights, **words)


def test_the_bundled_networks_need_no_torch(tmp_path):
    """Nor anything else of the full install, with an empty cache."""
    code = """
import sys
for name in ("torch", "torchvision", "timm", "ultralytics", "filterpy"):
    sys.modules[name] = None  # importing it fails
import cv2
from posetrack.tracker.perception.detector import load_detector
from posetrack.tracker.perception.pose import load_pose_estimator
from posetrack.tracker.types import Frame
frame = Frame(cv2.imread(sys.argv[1]), 0, 0.0)
print(len(load_pose_estimator(device="cpu")(frame, load_detector(device="cpu")(frame))))
"""
    command = [sys.executable, "-c", code, str(BUS)]
    environment = os.environ | {"POSETRACK_CACHE": str(tmp_path)}
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 3


def test_what_auto_takes_on_a_processor_is_near(frame, reference):
    detector, estimator = load_detector(device="cpu"), load_pose_estimator(device="cpu")
    assert (detector.network.name, estimator.network.name) == ("openvino", "openvino")
    assert estimator.network.precision in estimator.network.reason
    poses = estimator(frame, reference[0])
    sure = reference[1].scores > 0.3
    distance = np.linalg.norm(poses.keypoints - reference[1].keypoints, axis=-1)[sure]
    heights = np.diff(reference[0].boxes[:, 1::2], axis=1)
    relative = distance / np.broadcast_to(heights, sure.shape)[sure]
    assert np.median(relative) < 0.002
    assert np.quantile(relative, 0.9) < 0.02


def test_images_of_all_sizes_and_people_of_any_number(frame, reference):
    detector, estimator = load_detector(device="cpu"), load_pose_estimator(device="cpu")
    for shape in [(480, 640), (480, 640), (640, 480), (333, 1000), (480, 640)]:
        assert len(detector(Frame(np.full((*shape, 3), 90, np.uint8), 0, 0.0))) == 0
    for n in (1, 3, 2, 0, 3):
        people = reference[0][np.arange(n) % len(reference[0])]
        assert estimator(frame, people).keypoints.shape == (n, 17, 2)


@pytest.mark.slow
def test_the_path_through_openvino_loads_no_torch(walking_clip, tmp_path):
    """The second run, which finds the converted networks in the cache."""
    load_detector(device="cpu"), load_pose_estimator(device="cpu")
    code = (
        "import sys; from posetrack.tracker.cli import main;"
        f"assert main(['--source', {str(walking_clip)!r}, '--csv', {str(tmp_path / 'out.csv')!r}, '--device', 'cpu',"
        " '--quiet', '--offline']) == 0;"
        "heavy = {'torch', 'ultralytics', 'onnx'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = os.environ | {"POSETRACK_CACHE": str(cache.cache_folder())}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").stat().st_size > 1000


def cut(data):
    return data[: len(data) // 2]


def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 64]) + data[middle + 64 :]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache that holds the pose network in fp32."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSETRACK_CACHE", str(folder))
        load_pose_estimator(device="cpu", precision="fp32")
    return folder


@pytest.mark.parametrize("damage", [cut, pytest.param(flip, marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", ["network.xml", "network.bin", "origin.json", "network.graphs/*.blob"])
def test_a_damaged_cache_is_made_again(what, damage, frame, reference, filled, tmp_path, monkeypatch):
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    files = list(tmp_path.glob(f"converted/*/{what}"))
    assert files
    for file in files:
        file.chmod(0o600)
        file.write_bytes(damage(file.read_bytes()))
    poses = load_pose_estimator(device="cpu", precision="fp32")(frame, reference[0])
    np.testing.assert_allclose(poses.scores, reference[1].scores, atol=5e-4)


@pytest.mark.slow
def test_the_cache_of_a_detector_keeps_the_last_image_sizes_and_heals_them(frame, tmp_path, monkeypatch):
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    sizes = range(64, 64 + 32 * 6, 32)
    boxes = [load_detector(device="cpu", precision="fp32", size=size)(frame).boxes for size in sizes]
    graphs = sorted(tmp_path.glob("converted/*/network-*.xml"))
    assert len(graphs) == 4
    assert len(list(tmp_path.glob("converted/*/network-*.graphs"))) == 4
    for file in (path.with_suffix(".bin") for path in graphs):
        file.write_bytes(flip(file.read_bytes()))
    again = load_detector(device="cpu", precision="fp32", size=sizes[-1])(frame)
    np.testing.assert_array_equal(again.boxes, boxes[-1])


def test_an_interrupted_conversion_leaves_nothing_for_long(tmp_path, monkeypatch):
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    for name, age in (("new-old", 2 * store.HOUR), ("new-fresh", 0)):
        (tmp_path / "converted" / name).mkdir(parents=True)
        os.utime(tmp_path / "converted" / name, times=(time.time() - age,) * 2)
    load_pose_estimator(device="cpu", precision="fp32")
    assert not (tmp_path / "converted" / "new-old").exists()
    assert (tmp_path / "converted" / "new-fresh").exists()


def test_networks_are_prepared_by_one_thread_or_process_at_a_time(frame, tmp_path, monkeypatch):
    """Or one would remove what the other one writes."""
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    waited = threading.Event()
    monkeypatch.setattr(store.log, "warning", lambda *words: waited.set())
    results = []
    # The pose network is prepared when it is loaded, the detector when it sees the size of its first frame.
    detector = load_detector(device="cpu")
    for work in (lambda: load_pose_estimator(device="cpu"), lambda: detector(frame)):
        waited.clear()
        files = set(tmp_path.rglob("*"))
        with store.exclusive():
            thread = threading.Thread(target=lambda work=work: results.append(work()))
            thread.start()
            assert waited.wait(60)
            assert set(tmp_path.rglob("*")) == files
        thread.join()
        assert set(tmp_path.rglob("*.blob")) - files
    assert len(results) == 2


def test_new_weights_are_noticed(tmp_path, monkeypatch):
    import torch

    from posetrack.models.networks import yolo
    from posetrack.models.weights import detectors

    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "detector.safetensors"
    sums = []
    for seed in range(2):
        torch.manual_seed(seed)
        detectors.save(yolo.build(), path, size=64 + 32 * seed)
        detector = load_detector(path, device="cpu", runtime="openvino")
        sums.append(detector.sha256)
        assert detector.size == 64 + 32 * seed
    assert sums[0] != sums[1]
    assert len(list((tmp_path / "cache" / "converted").iterdir())) == 1  # that of the old weights is gone


def test_a_cache_that_cannot_be_written_costs_only_speed(frame, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "file"))
    estimator = load_pose_estimator(device="cpu")
    assert estimator.network.name == "torch"
    assert "Cannot store the converted network" in estimator.network.reason


def test_without_openvino_torch_does_it_and_says_why(monkeypatch):
    monkeypatch.setattr(load, "this_machine", lambda: machine.Machine(installed=frozenset({"torch"})))
    network = load_pose_estimator(device="cpu").network
    assert (network.name, network.precision) == ("torch", "fp32")
    assert "OpenVINO" in network.reason


def test_int8_is_taken_where_it_is_there_and_forgotten_where_it_is_broken(
    frame, reference, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    flags = frozenset({"avx512_bf16", "avx512_vnni"})
    monkeypatch.setattr(load, "this_machine", lambda: machine.Machine(flags=flags))
    monkeypatch.setattr(openvino, "flags", frozenset)  # so that what is not in eight bits is computed in fp32
    assert load_pose_estimator(device="cpu").network.precision == "bf16"
    (folder,) = (tmp_path / "converted").iterdir()
    for suffix in (".bin", ".xml"):  # in name only
        (folder / f"int8{suffix}").write_bytes((folder / f"network{suffix}").read_bytes())
    store.store_sums(folder / "int8.xml")
    estimator = load_pose_estimator(device="cpu")
    assert (estimator.network.name, estimator.network.precision) == ("openvino", "int8")
    assert "avx512_vnni" in estimator.network.reason
    np.testing.assert_allclose(estimator(frame, reference[0]).scores, reference[1].scores, atol=5e-4)
    assert load_pose_estimator(device="cpu", precision="fp32").network.precision == "fp32"
    monkeypatch.setattr(load, "this_machine", lambda: machine.Machine(flags=frozenset({"avx2"})))
    assert load_pose_estimator(device="cpu").network.precision == "fp32"

    monkeypatch.setattr(load, "this_machine", lambda: machine.Machine(flags=flags))
    (folder / "int8.xml").write_text("<net/>")
    assert load_pose_estimator(device="cpu").network.precision == "bf16"
    assert "is broken and was removed" in caplog.text
    assert not (folder / "int8.xml").exists()


@pytest.mark.parametrize(("flag", "precision"), [("avx512_bf16", "bf16"), ("amx_bf16", "bf16"), ("avx2", "fp32")])
def test_layers_that_are_not_in_eight_bits_take_what_the_processor_has(flag, precision, monkeypatch):
    monkeypatch.setattr(openvino, "flags", lambda: frozenset({flag}))
    assert openvino.exact_layers("int8") == precision
    assert openvino.exact_layers("fp32") == "fp32"


def test_bf16_does_not_round_a_detectors_boxes(frame):
    """Its distances are sums, which OpenVINO leaves in fp32 behind the last convolution."""
    exact, half = (load_detector(device="cpu", runtime="openvino", precision=p, conf=0.6) for p in ("fp32", "bf16"))
    image = np.full((1, 3, 352, 256), 0.4, np.float32)
    steps = np.unique(np.round(half.network(image)[0, :4] * 8, 6) % 1)  # rounded distances would be eighths
    assert len(steps) > 100
    distances = np.abs(half(frame).boxes - exact(frame).boxes)  # in a photograph of 1080 pixels
    assert np.median(distances) < 1


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    from posetrack.models.export import files as export
    from posetrack.tracker.perception.detector import find, read_detector_weights
    from posetrack.tracker.perception.pose import read_pose_weights

    folder = tmp_path_factory.mktemp("exported")
    pose = read_pose_weights("bundled")
    detector = read_detector_weights(find("bundled"))
    forms = [".xml", ".onnx"] if importlib.util.find_spec("onnx") else [".xml"]
    for suffix in forms:
        export.write(pose.network, folder / f"pose{suffix}", pose.card)
        export.write(detector.network, folder / f"detector{suffix}", detector.card)
    export.write(pose.network, folder / "half.xml", pose.card, half=True)
    return folder


class TestExportedFiles:
    @pytest.mark.parametrize(
        ("suffix", "runtime"), [(".xml", "auto"), (".onnx", "auto"), (".onnx", "onnxruntime"), (".xml", "openvino")]
    )
    @pytest.mark.slow
    def test_they_load_again(self, files, suffix, runtime, frame, reference):
        if suffix == ".onnx":
            pytest.importorskip("onnx", reason="needs onnx")
            pytest.importorskip("onnxruntime", reason="needs onnxruntime")
        options = {"runtime": runtime, "precision": "fp32", "device": "cpu"}
        detector = load_detector(files / f"detector{suffix}", **options)
        estimator = load_pose_estimator(str(files / f"pose{suffix}"), **options)
        detections = detector(frame)
        np.testing.assert_allclose(detections.boxes, reference[0].boxes, atol=0.01)
        poses = estimator(frame, reference[0])
        np.testing.assert_allclose(poses.scores, reference[1].scores, atol=5e-4)
        assert len(estimator.sha256) == len(detector.sha256) == 64
        assert estimator.input_size == (256, 192)

    def test_half_takes_half_the_place(self, files, frame, reference):
        assert (files / "half.bin").stat().st_size < 0.6 * (files / "pose.bin").stat().st_size
        poses = load_pose_estimator(str(files / "half.xml"), device="cpu", precision="fp32")(frame, reference[0])
        np.testing.assert_allclose(poses.scores, reference[1].scores, atol=1e-3)

    def test_one_in_the_others_place(self, files):
        with pytest.raises(ModelError, match="is a detector network; give a pose network"):
            load_pose_estimator(str(files / "detector.xml"), device="cpu")

    def test_torch_does_not_read_them(self, files):
        with pytest.raises(UsageError, match=r"'torch' does not read .xml files"):
            load_pose_estimator(str(files / "pose.xml"), runtime="torch")

    def test_files_that_are_something_else(self, tmp_path):
        with pytest.raises(ModelError, match="There is no file"):
            load_pose_estimator(str(tmp_path / "missing.xml"), device="cpu")
        (tmp_path / "a.xml").write_text("<net/>")
        with pytest.raises(ModelError, match="not a complete OpenVINO file"):
            load_pose_estimator(str(tmp_path / "a.xml"), device="cpu")
