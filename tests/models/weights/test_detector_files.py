import logging
import threading
from pathlib import Path

import pytest

from posetrack.errors import ModelError
from posetrack.models.networks.ultralytics_import import load_tasks
from posetrack.models.weights import detector_files
from posetrack.models.weights.detector_files import locate_detector

pytestmark = pytest.mark.usefixtures("detector_cache")


def test_the_current_folder_comes_before_the_cache(tmp_path, detector_cache):
    detector_cache.mkdir(parents=True)
    (detector_cache / "yolo11n.pt").touch()
    assert locate_detector("yolo11n.pt", offline=True) == detector_cache / "yolo11n.pt"
    (tmp_path / "yolo11n.pt").touch()
    assert locate_detector("yolo11n.pt", offline=True) == Path("yolo11n.pt")


@pytest.mark.parametrize("switch", ["argument", "POSETRACK_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_fails_at_once_with_one_sentence(monkeypatch, switch):
    monkeypatch.setattr(detector_files, "_is_online", lambda: pytest.fail("went online"))
    if switch != "argument":
        monkeypatch.setenv(switch, "1")
    with pytest.raises(ModelError, match=r"'yolo11n\.pt'.* downloads are off"):
        locate_detector("yolo11n.pt", offline=switch == "argument")


def test_a_connection_without_response_times_out(monkeypatch):
    monkeypatch.setattr(detector_files, "TIMEOUT", 0.1)
    over, ended = threading.Event(), []
    monkeypatch.setattr(detector_files, "_is_online", lambda: over.wait(60) and ended.append(True))
    try:
        with pytest.raises(ModelError, match=r"github\.com does not respond"):
            locate_detector("yolo11n.pt")
        assert not ended
    finally:
        over.set()


def test_a_download_goes_into_the_cache_only(monkeypatch, tmp_path, detector_cache, caplog):
    def download(url, file, dir, **options):
        assert url.endswith("/yolo11n.pt")
        assert options["retry"] <= 1
        (Path(dir) / file).write_bytes(b"weights")

    monkeypatch.setattr(detector_files, "_is_online", lambda: True)
    load_tasks()
    monkeypatch.setattr("ultralytics.utils.downloads.safe_download", download)
    with caplog.at_level(logging.INFO, "posetrack"):
        assert locate_detector("yolo11n.pt") == detector_cache / "yolo11n.pt"
    assert "Downloading yolo11n.pt from github.com/ultralytics/assets: about 5 MB, licence AGPL-3.0" in caplog.text
    assert [p.name for p in tmp_path.rglob("*.pt")] == ["yolo11n.pt"]


def test_a_failing_download_is_one_sentence(monkeypatch):
    def download(**_):
        raise ConnectionError("❌  Download failure for x.\nmore")

    monkeypatch.setattr(detector_files, "_is_online", lambda: True)
    load_tasks()
    monkeypatch.setattr("ultralytics.utils.downloads.safe_download", lambda *a, **k: download())
    with pytest.raises(ModelError, match=r"Cannot download .*: Download failure for x") as caught:
        locate_detector("yolo11n.pt")
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
    monkeypatch.setattr(detector_files, "_is_online", lambda: pytest.fail("went online"))
    with pytest.raises(ModelError, match=sentence):
        locate_detector(name)
