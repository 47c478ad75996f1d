"""`auto` takes the best networks that are on this machine and fast enough, and says which and why."""

import logging

import pytest
import torch

from posetrack import load_pipeline
from posetrack.errors import UsageError
from posetrack.models.networks import potr
from posetrack.models.weights import recommended
from posetrack.models.weights.recommended import Candidate, best
from posetrack.models.weights.variants import ZOO
from posetrack.tracker.perception import automatic
from posetrack.tracker.perception.automatic import choose_networks, measure_rate

CPU = {"device": "cpu", "runtime": "auto", "precision": "auto"}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache with a small pose network and two detectors; no other program's."""
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "ultralytics").mkdir()
    for name in ("potr-resnet50.pth", "vitpose-b.pth", "ultralytics/yolo11n.pt", "ultralytics/yolo11m.pt"):
        (tmp_path / name).touch()
    return tmp_path


def choose(monkeypatch, *, rate, model="auto", detector="auto", fps=25, **task):
    monkeypatch.setattr(automatic, "measure_rate", lambda **where: rate)
    return choose_networks(model, detector, fps=fps, **task, **CPU)


def test_the_best_is_the_most_precise_that_is_light_enough():
    small, large = Candidate("small", 60.0, 5.0), Candidate("large", 75.0, 18.0)
    assert best([large, small], gmacs=18.0) is large
    assert best([large, small], gmacs=17.9) is small
    assert best([large, small], gmacs=4.9) is None


def test_the_candidates_are_those_on_this_machine(cache):
    assert [each.name for each in recommended.pose_networks()] == ["vitpose-b", "potr-resnet50"]
    assert [each.name for each in recommended.detectors()] == ["yolo11n.pt", "yolo11m.pt"]


@pytest.mark.parametrize(
    ("rate", "task", "chosen"),
    [
        (10_000, {}, ("vitpose-b", "yolo11m.pt")),
        (1_000, {}, ("potr-resnet50", "yolo11n.pt")),  # 20 GMACs in half of 40 ms
        (1_000, {"fps": 2}, ("vitpose-b", "yolo11m.pt")),  # a file can wait
        (1_000, {"flip": True}, ("bundled", "yolo11n.pt")),
        (1_000, {"size": 320}, ("potr-resnet50", "yolo11m.pt")),
        (100, {}, ("bundled", "bundled")),
    ],
)
def test_the_choice_depends_on_machine_and_task(cache, monkeypatch, rate, task, chosen):
    assert choose(monkeypatch, rate=rate, **task) == chosen


def test_a_name_stays(cache, monkeypatch):
    assert choose(monkeypatch, rate=1e4, model="mine.pth", detector="boxes.json") == ("mine.pth", "boxes.json")
    assert choose(monkeypatch, rate=1e4, model="mine.pth") == ("mine.pth", "yolo11m.pt")


def test_the_log_says_which_and_why(cache, monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="posetrack")
    choose(monkeypatch, rate=1_000, flip=True)
    assert caplog.messages == [
        "model auto: bundled, since potr-resnet50 would take about 22 ms a frame, more than the limit of 20.",
        "detector auto: yolo11n.pt, AP 39.5, the best one here that takes less than 20 ms a frame (about 3).",
    ]


def test_without_other_networks_it_is_the_bundled_pair_and_nothing_is_downloaded(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("posetrack.models.weights.locate.fetch", lambda *_, **__: pytest.fail("went online"))
    monkeypatch.setattr(automatic, "measure_rate", lambda **where: pytest.fail("needs no time"))
    caplog.set_level(logging.INFO, logger="posetrack")
    assert choose_networks("auto", "auto", fps=25, **CPU) == ("bundled", "bundled")
    assert sum("posetrack models download recommended" in message for message in caplog.messages) == 2


def test_other_skeletons_need_a_name():
    with pytest.raises(UsageError, match=r"keypoints, not of wholebody\. Name a model\."):
        load_pipeline("auto", dataset="wholebody")


def test_the_rate_is_measured():
    assert 0 < measure_rate(**CPU) < 1e6


def test_the_recommended_networks_are_on_the_lists():
    from posetrack.models.weights.published_detectors import DETECTORS

    pose, detector = recommended.RECOMMENDED
    assert ZOO[pose].sha256
    assert detector in DETECTORS


@pytest.mark.slow
def test_a_pipeline_takes_what_was_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    torch.manual_seed(0)
    torch.save(potr.SIZES["potr-resnet50"]().state_dict(), tmp_path / "potr-resnet50.pth")
    pipeline = load_pipeline("auto", "auto", "cpu", runtime="torch", target_fps=1e-3, offline=True)
    assert (pipeline.estimator.name, pipeline.detector.name) == ("potr-resnet50", "bundled")
