import io
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from posetrack.errors import ModelError, OutputError
from posetrack.models.networks import yolo

ROOT = Path(__file__).parents[3]
TEACHER = ROOT.parent / "shared" / "weights" / "yolov8n.pt"

needs_teacher = pytest.mark.skipif(not TEACHER.is_file(), reason="needs shared/weights/ beside the checkout")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    for name in ("POSETRACK_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "ultralytics"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return yolo.build().eval()


@pytest.fixture
def saved(network, tmp_path):
    path = tmp_path / "tiny.safetensors"
    yolo.save(network, path, size=256)
    return path


def test_a_saved_network_comes_back_in_full_precision_and_nearly_equal(network, saved):
    loaded = yolo.load(saved)
    assert (loaded.names, loaded.size, loaded.training, loaded.is_fused()) == ({0: "person"}, 256, False, True)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in loaded.parameters())
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(loaded(images)[0], network(images)[0], rtol=1e-2, atol=1e-2)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a file as Ultralytics publishes them: batch norms with statistics, people the third class."""
    tasks = yolo._ultralytics()
    torch.manual_seed(1)
    model = tasks.DetectionModel("yolov8n.yaml", nc=80, verbose=False).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    for branch in model.model[-1].cv3:
        branch[-1].weight.data.normal_()
    model.names = {row: "person" if row == 2 else f"thing {row}" for row in range(80)}
    path = tmp_path_factory.mktemp("published") / "yolov8n.pt"
    torch.save({"model": model}, path)
    return path


def test_a_published_network_is_cut_down_to_its_people(published, tmp_path):
    yolo.save(yolo.from_published(published), tmp_path / "people.safetensors")
    people, all_classes = yolo.load(tmp_path / "people.safetensors"), yolo.load(published)
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        ours, theirs = people(images)[0], all_classes(images)[0]
    assert ours.shape == (1, 5, 126)
    torch.testing.assert_close(ours[:, :4], theirs[:, :4], rtol=1e-2, atol=0.1)
    torch.testing.assert_close(ours[:, 4], theirs[:, 6], rtol=1e-2, atol=1e-2)


def test_the_distances_of_a_box_side_are_exact_whatever_the_published_file_says(published, tmp_path):
    file = torch.load(published, weights_only=False)
    file["model"].model[-1].dfl.conv.weight.data += 0.05
    torch.save(file, tmp_path / "rounded.pt")
    distances = yolo.from_published(tmp_path / "rounded.pt").model[-1].dfl.conv.weight.flatten()
    assert distances.tolist() == list(range(16))


def test_calibrated_scores_are_the_same_logits_on_a_line():
    model = yolo.build().eval()
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = model(images)[0]
        yolo.calibrate(model, slope=1.5, offset=0.8)
        after = model(images)[0]
    torch.testing.assert_close(after[:, :4], before[:, :4])
    torch.testing.assert_close(after[:, 4], torch.sigmoid(1.5 * torch.logit(before[:, 4]) + 0.8), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "config", "names"),
    [
        ("DetectionModel", "yolo11n.yaml", {0: "person"}),
        ("DetectionModel", "yolov8n.yaml", {0: "cat", 1: "dog"}),
        ("PoseModel", "yolov8n-pose.yaml", {0: "person"}),
    ],
)
def test_another_published_network_is_refused(tmp_path, kind, config, names):
    tasks = yolo._ultralytics()
    model = getattr(tasks, kind)(config, nc=len(names), verbose=False)
    model.names = names
    torch.save({"model": model}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=rf"no YOLOv8 that finds people, but a {kind} of {len(names)} classes"):
        yolo.from_published(tmp_path / "other.pt")


def test_save_into_a_missing_folder(network, tmp_path):
    with pytest.raises(OutputError, match="Check the folder"):
        yolo.save(network, tmp_path / "nowhere" / "a.safetensors")


def truncated(path):
    path.write_bytes(path.read_bytes()[:5000])


class Attack:
    def __reduce__(self):
        return os.system, ("echo hacked",)


def archive(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def png():
    return cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text.pt", b"hello, I am no network", "not an Ultralytics weights file"),
        ("empty.pt", b"", "not an Ultralytics weights file"),
        ("picture.pt", png(), "not an Ultralytics weights file"),
        ("attack.pt", archive({"model": Attack()}), r"asks for \w+\.system to be run, which was refused"),
        ("pickle.pt", pickle.dumps({"model": Attack()}), r"asks for \w+\.system to be run, which was refused"),
        ("arrays.pt", archive({"model": {"weight": torch.zeros(3)}}), "holds no network"),
        ("list.pt", archive([1, 2, 3]), "holds no network"),
        ("plain.pt", archive({"model": nn.Sequential(nn.Linear(2, 2))}), "holds no network"),
        ("text.safetensors", b"hello, I am no network", "no complete safetensors file"),
        ("network.onnx", b"", r"give a \.pt or \.safetensors file"),
    ],
)
def test_a_file_that_is_no_detector_is_refused(tmp_path, capfd, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=sentence) as caught:
        yolo.load(tmp_path / name)
    assert name in str(caught.value)
    assert capfd.readouterr() == ("", ""), "nothing ran, nothing is printed"


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="there is no such file"):
        yolo.load(tmp_path / "missing.pt")


def test_a_truncated_file(saved):
    truncated(saved)
    with pytest.raises(ModelError, match="no complete safetensors file"):
        yolo.load(saved)


@needs_teacher
def test_a_truncated_checkpoint(tmp_path):
    (tmp_path / "yolov8n.pt").write_bytes(TEACHER.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="incomplete"):
        yolo.load(tmp_path / "yolov8n.pt")


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (None, "names no architecture"),
        ({"architecture": "vitpose"}, "names vitpose, not one of yolov8n"),
        ({"architecture": "yolov8n"}, "disagree"),
        ({"architecture": "yolov8s", "size": "320"}, "disagree"),
    ],
)
def test_arrays_of_something_else(network, tmp_path, metadata, sentence):
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, tmp_path / "x.safetensors", metadata)
    with pytest.raises(ModelError, match=sentence):
        yolo.load(tmp_path / "x.safetensors")


def test_a_classifier_finds_no_boxes(tmp_path):
    tasks = yolo._ultralytics()
    torch.save({"model": tasks.ClassificationModel("yolo11n-cls.yaml", verbose=False)}, tmp_path / "cls.pt")
    with pytest.raises(ModelError, match="ClassificationModel finds no boxes"):
        yolo.load(tmp_path / "cls.pt")


@pytest.mark.parametrize("name", ["yolov5n.pt", "it's mine.pt"])
def test_a_checkpoint_is_taken_as_named_and_never_looked_for_online(tmp_path, monkeypatch, name):
    tasks = yolo._ultralytics()
    torch.save({"model": tasks.DetectionModel("yolo11n.yaml", nc=1, verbose=False).half()}, tmp_path / name)
    monkeypatch.setattr("requests.get", lambda *_, **__: pytest.fail("went online"))
    model = yolo.load(tmp_path / name)
    assert (model.size, next(model.parameters()).dtype) == (640, torch.float32)


@needs_teacher
def test_a_published_checkpoint_loads():
    model = yolo.load(TEACHER)
    assert (model.names[0], model.size, model.end2end, model.is_fused()) == ("person", 640, False, True)


def test_find_prefers_the_file_here_then_the_cache(tmp_path, cache):
    cache.mkdir(parents=True)
    (cache / "yolo11n.pt").touch()
    assert yolo.find("yolo11n.pt", offline=True) == cache / "yolo11n.pt"
    (tmp_path / "yolo11n.pt").touch()
    assert yolo.find("yolo11n.pt", offline=True) == Path("yolo11n.pt")


@pytest.mark.parametrize("switch", ["argument", "POSETRACK_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_is_one_sentence_at_once(monkeypatch, switch):
    monkeypatch.setattr(yolo, "_answers", lambda: pytest.fail("went online"))
    if switch != "argument":
        monkeypatch.setenv(switch, "1")
    with pytest.raises(ModelError, match=r"'yolo11n\.pt'.* downloads are off"):
        yolo.find("yolo11n.pt", offline=switch == "argument")


def test_a_network_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(yolo, "REACH", 0.1)
    over, ended = threading.Event(), []
    monkeypatch.setattr(yolo, "_answers", lambda: over.wait(60) and ended.append(True))
    try:
        with pytest.raises(ModelError, match=r"github\.com does not answer"):
            yolo.find("yolo11n.pt")
        assert not ended
    finally:
        over.set()


def test_a_download_goes_into_the_cache_only(monkeypatch, tmp_path, cache):
    def download(url, file, dir, **options):
        assert url.endswith("/yolo11n.pt")
        assert options["retry"] <= 1
        (Path(dir) / file).write_bytes(b"weights")

    monkeypatch.setattr(yolo, "_answers", lambda: True)
    yolo._ultralytics()
    monkeypatch.setattr("ultralytics.utils.downloads.safe_download", download)
    assert yolo.find("yolo11n.pt") == cache / "yolo11n.pt"
    assert [p.name for p in tmp_path.rglob("*.pt")] == ["yolo11n.pt"]


def test_a_failing_download_is_one_sentence(monkeypatch):
    def download(**_):
        raise ConnectionError("❌  Download failure for x.\nmore")

    monkeypatch.setattr(yolo, "_answers", lambda: True)
    yolo._ultralytics()
    monkeypatch.setattr("ultralytics.utils.downloads.safe_download", lambda *a, **k: download())
    with pytest.raises(ModelError, match=r"Cannot fetch .*: Download failure for x") as caught:
        yolo.find("yolo11n.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("yolo11m.ptt", "Did you mean yolo11m.pt"),
        ("yolo26n", "Did you mean yolo26n.pt"),
        ("zebra.pt", "published name"),
        ("folder/yolo11n.pt", "Check the path"),
    ],
)
def test_unknown_names(monkeypatch, name, sentence):
    monkeypatch.setattr(yolo, "_answers", lambda: pytest.fail("went online"))
    with pytest.raises(ModelError, match=sentence):
        yolo.find(name)


def test_importing_ultralytics_leaves_no_traces(tmp_path):
    script = """
import json, os, sys
import cv2, numpy as np, torch
from PIL import Image
def state():
    printing = vars(torch._tensor_str.PRINT_OPTS)
    return [dict(os.environ), cv2.getNumThreads(), torch.get_num_threads(), repr(printing), np.get_printoptions(),
            torch.save.__module__, Image.open.__module__, repr(sys.excepthook)]
before = state()
from posetrack.models.networks import yolo
assert "ultralytics" not in sys.modules
yolo.build()
assert state() == before, (before, state())
from ultralytics.utils import AUTOINSTALL, LOGGER, ONLINE, SETTINGS
LOGGER.error("hidden")
print(json.dumps([AUTOINSTALL, ONLINE, SETTINGS["sync"]]))
"""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = os.environ | {
        "HOME": str(home),
        "POSETRACK_CACHE": str(tmp_path / "own"),
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(home),
    }
    environment.pop("YOLO_CONFIG_DIR", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], env=environment, cwd=work, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout), done.stderr) == ([False, False, False], "")
    assert list(home.rglob("*")) == list(work.rglob("*")) == []
    assert [p.name for p in (tmp_path / "own").rglob("*") if p.is_file()] == ["settings.json"]


def test_only_one_module_imports_ultralytics():
    sources = [p for room in ("posetrack", "models", "tracker") for p in (ROOT / room).rglob("*.py")]
    importing = [
        p.name for p in sources if "import ultralytics" in p.read_text() or "from ultralytics" in p.read_text()
    ]
    assert importing == ["yolo.py"]
