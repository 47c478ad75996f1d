import argparse
import json
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from posetrack.errors import OutputError, SourceError, UsageError
from posetrack.models.evaluate import BOX_MEASURES, KEYPOINT_MEASURES
from posetrack.tracker.cli import eval as command
from posetrack.tracker.evaluation import evaluate
from posetrack.tracker.types import Detections, Poses


def standing(left, top, size=120):
    y = top + np.linspace(0, size, 17)
    x = left + np.linspace(0.2, 0.8, 17) * size
    return {
        "bbox": [left, top, size, size],
        "keypoints": np.stack([x, y, np.full(17, 2)], axis=1).round(2).ravel().tolist(),
    }


@pytest.fixture
def folder(tmp_path):
    """Two pictures with three people, one of them without keypoints, and a crowd."""
    people = [
        {"image_id": 5, **standing(10, 20)},
        {"image_id": 5, **standing(160, 30)},
        {"image_id": 9, **standing(40, 40), "iscrowd": 0},
        {"image_id": 9, "bbox": [200, 10, 50, 50], "keypoints": [0] * 51, "num_keypoints": 0},
        {"image_id": 9, **standing(200, 80, size=90), "iscrowd": 1},
    ]
    (tmp_path / "images").mkdir()
    pictures = []
    for index in (5, 9):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), np.full((240, 320, 3), index, np.uint8))
        pictures.append({"id": index, "file_name": f"{index}.png", "width": 320, "height": 240})
    truth = {"images": pictures, "annotations": [{"category_id": 1} | p for p in people], "categories": []}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    return tmp_path


class Oracle:
    """A detector and pose estimator that have read the truth."""

    def __init__(self, folder):
        self.people = json.loads((folder / "truth.json").read_text())["annotations"]
        self.asked = {}

    def detect(self, frame):
        assert (frame.image == frame.index).all(), "the picture of this id"
        boxes = np.array([p["bbox"] for p in self.people if p["image_id"] == frame.index], dtype=float)
        boxes[:, 2:] += boxes[:, :2]
        return Detections(boxes, np.linspace(0.9, 0.5, len(boxes)))

    def estimate(self, frame, detections):
        self.asked[frame.index] = detections.boxes.tolist()
        here = [p for p in self.people if p["image_id"] == frame.index]
        rows = [next(p for p in here if np.allclose(p["bbox"][:2], box[:2])) for box in detections.boxes]
        keypoints = np.array([p["keypoints"] for p in rows], dtype=float).reshape(-1, 17, 3)
        points = np.where(keypoints[..., 2:] > 0, keypoints[..., :2], np.nan)
        return Poses(detections.boxes, points, (keypoints[..., 2] > 0) * 0.9, detections.scores)


def test_perfect_models_score_one(folder):
    oracle = Oracle(folder)
    tables = evaluate(folder / "images", folder / "truth.json", oracle.estimate, detector=oracle.detect)
    assert (tuple(tables["keypoints"]), tuple(tables["boxes"])) == (KEYPOINT_MEASURES, BOX_MEASURES)
    assert tables["keypoints"]["AP"] == tables["boxes"]["AP"] == 1.0


def test_true_boxes_are_those_whose_keypoints_count(folder):
    oracle = Oracle(folder)
    evaluate(folder / "images", folder / "truth.json", oracle.estimate)
    assert oracle.asked == {5: [[10, 20, 130, 140], [160, 30, 280, 150]], 9: [[40, 40, 160, 160]]}


def test_detected_boxes_and_what_they_missed(folder):
    oracle = Oracle(folder)
    tables = evaluate(
        folder / "images",
        folder / "truth.json",
        oracle.estimate,
        detector=lambda frame: oracle.detect(frame)[:1],
        boxes="detector",
    )
    assert oracle.asked == {5: [[10, 20, 130, 140]], 9: [[40, 40, 160, 160]]}
    assert tables["keypoints"]["AR"] == pytest.approx(2 / 3)
    assert tables["boxes"]["AR"] == pytest.approx(2 / 4)


def test_doubles_do_not_count_as_false_alarms(folder):
    oracle = Oracle(folder)
    tables = evaluate(
        folder / "images",
        folder / "truth.json",
        oracle.estimate,
        detector=lambda frame: oracle.detect(frame)[[0, 0, 0, 1]],
        boxes="detector",
    )
    assert tables["keypoints"]["AP"] == 1.0


def test_nobody_found(folder):
    tables = evaluate(
        folder / "images",
        folder / "truth.json",
        lambda frame, detections: Poses.empty(),
        detector=lambda frame: Detections.empty(),
        boxes="detector",
    )
    assert tables["keypoints"]["AP"] == tables["boxes"]["AP"] == 0.0


def test_either_part_alone_and_progress(folder):
    oracle, seen = Oracle(folder), []

    def progress(pictures):
        seen.extend(p["id"] for p in pictures)
        return pictures

    assert evaluate(folder / "images", folder / "truth.json", oracle.estimate, progress=progress).keys() == {
        "keypoints"
    }
    assert evaluate(folder / "images", folder / "truth.json", None, detector=oracle.detect).keys() == {"boxes"}
    assert seen == [5, 9]


def test_detected_boxes_need_a_detector(folder):
    with pytest.raises(UsageError, match="need a detector"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate, boxes="detector")
    with pytest.raises(UsageError, match="'guess'"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate, boxes="guess")


def test_another_skeleton(folder):
    with pytest.raises(UsageError, match="gives 5 keypoints"):
        evaluate(folder / "images", folder / "truth.json", lambda frame, detections: Poses.empty(5))


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"images": [{"id": 1}], "annotations": []}'])
def test_annotations_that_are_none(folder, content):
    (folder / "truth.json").write_text(content)
    with pytest.raises(SourceError, match=r"Cannot read annotations from '.*truth\.json'"):
        evaluate(folder / "images", folder / "truth.json", None)


def test_pictures_that_are_missing_broken_or_others(folder):
    picture = folder / "images" / "9.png"
    cv2.imwrite(str(picture), np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(SourceError, match="20x20 pixels, but 320x240"):
        evaluate(folder / "images", folder / "truth.json", None)
    picture.write_text("no picture")
    with pytest.raises(SourceError, match="broken"):
        evaluate(folder / "images", folder / "truth.json", None)
    picture.unlink()
    with pytest.raises(SourceError, match="no such file"):
        evaluate(folder / "images", folder / "truth.json", None)


class TestCommand:
    @pytest.fixture
    def posetrack(self, folder, monkeypatch):
        oracle = Oracle(folder)
        loaded = {}

        def load(kind, call):
            return lambda name, **options: loaded.update({kind: (name, options)}) or call

        rooms = {
            "detector": SimpleNamespace(load_detector=load("detector", oracle.detect)),
            "pose": SimpleNamespace(load_pose_estimator=load("pose", oracle.estimate)),
        }
        for name, room in rooms.items():
            monkeypatch.setitem(sys.modules, f"posetrack.tracker.perception.{name}", room)

        def posetrack(*words):
            parser = argparse.ArgumentParser()
            command.add_parser(parser.add_subparsers())
            args = parser.parse_args(
                ["eval", "--images", str(folder / "images"), "--annotations", str(folder / "truth.json"), *words]
            )
            return args.run(args), loaded

        return posetrack

    def test_tables_and_json(self, posetrack, folder, capsys):
        code, loaded = posetrack("--json", str(folder / "out.json"), "--offline", "--device", "cpu")
        assert code == 0
        assert loaded["pose"] == ("bundled", {"device": "cpu", "offline": True})
        assert loaded["detector"] == ("bundled", {"device": "cpu", "conf": 0.001, "size": None, "offline": True})
        tables = json.loads((folder / "out.json").read_text())
        assert tables["keypoints"]["AP"] == tables["boxes"]["AP"] == 1.0
        assert {"keypoints", "boxes"} == tables.keys()
        out = capsys.readouterr().out
        assert "Keypoints (bundled, gt boxes)" in out
        assert "Person boxes (bundled)" in out
        assert "1.000" in out
        assert not list(folder.glob("*.partial"))

    def test_an_existing_file_is_kept_unless_told(self, posetrack, folder):
        (folder / "out.json").write_text("mine")
        with pytest.raises(OutputError, match="--overwrite"):
            posetrack("--json", str(folder / "out.json"))
        assert (folder / "out.json").read_text() == "mine"
        posetrack("--json", str(folder / "out.json"), "--overwrite")
        assert json.loads((folder / "out.json").read_text())

    def test_an_unwritable_file(self, posetrack, folder):
        with pytest.raises(OutputError, match="Cannot write"):
            posetrack("--json", str(folder / "nowhere" / "out.json"))

    def test_parts_can_be_left_out(self, posetrack, capsys):
        assert posetrack("--model", "none")[1].keys() == {"detector"}
        assert "Keypoints" not in capsys.readouterr().out
        with pytest.raises(UsageError, match="Neither"):
            posetrack("--model", "none", "--detector", "none")
