import re
from pathlib import Path

import pytest

from posetrack.errors import ModelError
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
    monkeypatch.setattr(detector_files, "fetch", lambda *_, **__: pytest.fail("went online"))
    if switch != "argument":
        monkeypatch.setenv(switch, "1")
    with pytest.raises(ModelError, match=r"'yolo11n\.pt'.* downloads are off"):
        locate_detector("yolo11n.pt", offline=switch == "argument")


def test_a_download_goes_into_the_cache_only(monkeypatch, tmp_path, detector_cache):
    asked = []

    def fetch(url, target, *, licence):
        asked.append((url, licence))
        target.parent.mkdir(parents=True)
        target.write_bytes(b"weights")

    monkeypatch.setattr(detector_files, "fetch", fetch)
    assert locate_detector("yolo11n.pt") == detector_cache / "yolo11n.pt"
    ((url, licence),) = asked
    assert re.fullmatch(r"https://github\.com/ultralytics/assets/releases/download/v[\d.]+/yolo11n\.pt", url)
    assert licence == "AGPL-3.0"
    assert [p.name for p in tmp_path.rglob("*.pt")] == ["yolo11n.pt"]
    assert locate_detector("yolo11n.pt", offline=True) == detector_cache / "yolo11n.pt"


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
    monkeypatch.setattr(detector_files, "fetch", lambda *_, **__: pytest.fail("went online"))
    with pytest.raises(ModelError, match=sentence):
        locate_detector(name)
