import argparse
import json
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from posetrack.errors import OutputError, SourceError, UsageError
from posetrack.models.evaluation.coco import BOX_METRICS, KEYPOINT_METRICS
from posetrack.models.evaluation.protocol import POTR, VITPOSE
from posetrack.models.geometry import processing
from posetrack.tracker.cli import eval as command
from posetrack.tracker.evaluation import images as evaluation
from posetrack.tracker.evaluation.images import evaluate
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
    """Two images with three people, one of them without keypoints, and a crowd."""
    people = [
        {"image_id": 5, **standing(10, 20)},
        {"image_id": 5, **standing(160, 30)},
        {"image_id": 9, **standing(40, 40), "iscrowd": 0},
        {"image_id": 9, "bbox": [200, 10, 50, 50], "keypoints": [0] * 51, "num_keypoints": 0},
        {"image_id": 9, **standing(200, 80, size=90), "iscrowd": 1},
    ]
    (tmp_path / "images").mkdir()
    images = []
    for index in (5, 9):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), np.full((240, 320, 3), index, np.uint8))
        images.append({"id": index, "file_name": f"{index}.png", "width": 320, "height": 240})
    truth = {"images": images, "annotations": [{"category_id": 1} | p for p in people], "categories": []}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    return tmp_path


class Oracle:
    """A detector and pose estimator that have read the truth."""

    def __init__(self, folder):
        self.people = json.loads((folder / "truth.json").read_text())["annotations"]
        self.asked = {}

    def detect(self, frame):
        assert (frame.image == frame.index).all(), "the image of this id"
        boxes = np.array([p["bbox"] for p in self.people if p["image_id"] == frame.index], dtype=float)
        boxes[:, 2:] += boxes[:, :2]
        return Detections(boxes, np.linspace(0.9, 0.5, len(boxes)))

    def estimate(self, seen):
        return [self.estimate_one(frame, detections) for frame, detections in seen]

    def estimate_one(self, frame, detections):
        self.asked[frame.index] = detections.boxes.tolist()
        here = [p for p in self.people if p["image_id"] == frame.index]
        rows = [next(p for p in here if np.allclose(p["bbox"][:2], box[:2])) for box in detections.boxes]
        keypoints = np.array([p["keypoints"] for p in rows], dtype=float).reshape(-1, 17, 3)
        points = np.where(keypoints[..., 2:] > 0, keypoints[..., :2], np.nan)
        return Poses(detections.boxes, points, (keypoints[..., 2] > 0) * 0.9, detections.scores)


class Loaded:
    """What the loaders return: a callable with some facts."""

    def __init__(self, call, **facts):
        self.call, self.sha256 = call, "ab12"
        vars(self).update(facts)

    def __call__(self, *args):
        return self.call(*args)


def test_perfect_models_score_one(folder):
    oracle = Oracle(folder)
    run = evaluate(folder / "images", folder / "truth.json", oracle.estimate, detector=oracle.detect)
    assert (tuple(run.tables["keypoints"]), tuple(run.tables["boxes"])) == (KEYPOINT_METRICS, BOX_METRICS)
    assert run.tables["keypoints"]["AP"] == run.tables["boxes"]["AP"] == 1.0


def test_true_boxes_are_those_whose_keypoints_count(folder):
    oracle = Oracle(folder)
    evaluate(folder / "images", folder / "truth.json", oracle.estimate)
    assert oracle.asked == {5: [[10, 20, 130, 140], [160, 30, 280, 150]], 9: [[40, 40, 160, 160]]}


@pytest.mark.parametrize(("batch", "groups"), [(1, [1, 1]), (2, [1, 1]), (3, [2]), (64, [2])])
def test_images_are_put_together_until_a_batch_is_full(folder, monkeypatch, batch, groups):
    monkeypatch.setattr(evaluation, "BATCH", batch)
    oracle, seen = Oracle(folder), []

    def estimate(group):
        seen.append(len(group))
        return oracle.estimate(group)

    run = evaluate(folder / "images", folder / "truth.json", estimate)
    assert seen == groups
    assert run.tables["keypoints"]["AP"] == 1


def test_detected_boxes_and_what_they_missed(folder):
    oracle = Oracle(folder)
    run = evaluate(
        folder / "images",
        folder / "truth.json",
        oracle.estimate,
        detector=lambda frame: oracle.detect(frame)[:1],
        boxes="detector",
    )
    assert oracle.asked == {5: [[10, 20, 130, 140]], 9: [[40, 40, 160, 160]]}
    assert run.tables["keypoints"]["AR"] == pytest.approx(2 / 3)
    assert run.tables["boxes"]["AR"] == pytest.approx(2 / 4)


def test_doubles_do_not_count_as_false_positives(folder):
    oracle = Oracle(folder)
    run = evaluate(
        folder / "images",
        folder / "truth.json",
        oracle.estimate,
        detector=lambda frame: oracle.detect(frame)[[0, 0, 0, 1]],
        boxes="detector",
    )
    assert run.tables["keypoints"]["AP"] == 1.0


def test_no_people_found(folder):
    run = evaluate(
        folder / "images",
        folder / "truth.json",
        lambda seen: [Poses.empty() for _ in seen],
        detector=lambda frame: Detections.empty(),
        boxes="detector",
    )
    assert run.tables["keypoints"]["AP"] == run.tables["boxes"]["AP"] == 0.0


def test_either_part_alone_and_progress(folder):
    oracle, seen = Oracle(folder), []

    def progress(images):
        seen.extend(p["id"] for p in images)
        return images

    run = evaluate(folder / "images", folder / "truth.json", oracle.estimate, progress=progress)
    assert run.tables.keys() == {"keypoints"}
    run = evaluate(folder / "images", folder / "truth.json", None, detector=oracle.detect)
    assert run.tables.keys() == {"boxes"}
    assert seen == [5, 9]


def test_what_was_counted_and_what_is_left(folder):
    oracle = Oracle(folder)
    run = evaluate(folder / "images", folder / "truth.json", oracle.estimate, detector=oracle.detect)
    assert run.counts == {"images": 2, "people": 3, "poses_estimated": 3, "poses_measured": 3, "boxes": 5}
    assert [(r["image_id"], r["category_id"]) for r in run.poses] == [(5, 1), (5, 1), (9, 1)]
    np.testing.assert_allclose(run.poses[0]["bbox"], [10, 20, 120, 120])
    assert len(run.poses[0]["keypoints"]) == 51
    np.testing.assert_allclose(run.boxes[0]["bbox"], [10, 20, 120, 120])


def test_true_boxes_are_cut_by_the_familys_protocol(folder):
    oracle = Oracle(folder)
    evaluate(folder / "images", folder / "truth.json", oracle.estimate, protocol=VITPOSE)
    assert oracle.asked == {5: [[10, 20, 129, 139], [160, 30, 279, 149]], 9: [[40, 40, 159, 159]]}


def test_small_detections_are_ignored_if_the_protocol_says_so(folder):
    oracle = Oracle(folder)
    truth = json.loads((folder / "truth.json").read_text())
    truth["annotations"][3]["bbox"][2:] = [30, 30]  # 900 pixels
    oracle.people = truth["annotations"]
    evaluate(folder / "images", truth, oracle.estimate, detector=oracle.detect, boxes="detector", protocol=POTR)
    assert [len(boxes) for boxes in oracle.asked.values()] == [2, 2]


def test_the_area_is_the_annotations_own_not_the_boxs(folder):
    oracle = Oracle(folder)
    truth = json.loads((folder / "truth.json").read_text())
    for annotation in truth["annotations"]:
        annotation["area"] = 40.0**2  # COCO's is that of the segmentation; the boxes are 120 x 120
    figures = evaluate(folder / "images", truth, oracle.estimate).tables["keypoints"]
    assert (figures["AP_M"], figures["AP_L"]) == (1.0, -1)


def test_a_folder_that_is_not_there(folder):
    with pytest.raises(SourceError, match="no such folder"):
        evaluate(folder / "nowhere", folder / "truth.json", None)


def test_detected_boxes_need_a_detector(folder):
    with pytest.raises(UsageError, match="need a detector"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate, boxes="detector")
    with pytest.raises(UsageError, match="'guess'"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate, boxes="guess")


def test_another_skeleton(folder):
    with pytest.raises(UsageError, match="gives 5 keypoints"):
        evaluate(folder / "images", folder / "truth.json", lambda seen: [Poses.empty(5) for _ in seen])


def test_other_annotations_than_coco_must_say_so(folder):
    truth = json.loads((folder / "truth.json").read_text())
    truth["annotations"][0]["keypoints"] = [1.0] * 42
    with pytest.raises(UsageError, match="have 14 keypoints per person, but coco has 17"):
        evaluate(folder / "images", truth, None)


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"images": [{"id": 1}], "annotations": []}'])
def test_annotations_that_are_none(folder, content):
    (folder / "truth.json").write_text(content)
    with pytest.raises(SourceError, match=r"Cannot read annotations from '.*truth\.json'"):
        evaluate(folder / "images", folder / "truth.json", None)


def test_images_that_are_missing_broken_or_others(folder):
    image = folder / "images" / "9.png"
    cv2.imwrite(str(image), np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(SourceError, match="20x20 pixels, but 320x240"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate)
    image.write_text("no image")
    with pytest.raises(SourceError, match="contains no image"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate)
    image.unlink()
    with pytest.raises(SourceError, match="no such file"):
        evaluate(folder / "images", folder / "truth.json", Oracle(folder).estimate)


class TestCommand:
    @pytest.fixture
    def posetrack(self, folder, monkeypatch):
        oracle = Oracle(folder)
        loaded = {}

        def estimator(name, **options):
            loaded["pose"] = (name, options)
            facts = {"processing": processing.UDP, "family": "ViTPose", "input_size": (256, 192)}
            return Loaded(None, of_frames=oracle.estimate, name=name, **facts)

        def detector(name, **options):
            loaded["detector"] = (name, options)
            return Loaded(oracle.detect, name=name, indices={5, 7})

        rooms = {
            "detector": SimpleNamespace(load_detector=detector),
            "pose": SimpleNamespace(load_pose_estimator=estimator),
            "single_stage": SimpleNamespace(SingleStagePoseEstimator=type("Other", (), {})),
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
        code, loaded = posetrack("--json", str(folder / "new" / "out.json"), "--offline", "--device", "cpu", "--flip")
        assert code == 0
        assert loaded["pose"][0] == "bundled"
        assert loaded["pose"][1].items() >= {"dataset": "coco", "device": "cpu", "offline": True, "flip": True}.items()
        assert loaded["detector"] == (
            "bundled",
            {"device": "cpu", "runtime": "auto", "precision": "auto", "conf": 0.001, "size": None, "offline": True},
        )
        facts = json.loads((folder / "new" / "out.json").read_text())
        assert facts["keypoints"]["AP"] == facts["boxes"]["AP"] == 1.0
        assert facts["protocol"]["boxes"] == "gt"
        assert facts["protocol"]["flip"] is True
        assert facts["model"] == {"name": "bundled", "sha256": "ab12"}
        assert facts["counts"]["people"] == 3
        out = capsys.readouterr().out
        assert "Keypoints (bundled, gt boxes)" in out
        assert "Person boxes (bundled)" in out
        assert "1.000" in out
        assert out.splitlines()[-1] == str(folder / "new" / "out.json")
        assert not list(folder.rglob("*.partial*"))

    def test_results_are_what_coco_takes(self, posetrack, folder, capsys):
        posetrack("--results", str(folder / "out.json"))
        assert capsys.readouterr().out.splitlines()[-2:] == [str(folder / "out.json"), str(folder / "out-boxes.json")]
        poses, boxes = (json.loads((folder / name).read_text()) for name in ("out.json", "out-boxes.json"))
        assert {"image_id", "category_id", "keypoints", "score"} <= poses[0].keys()
        assert {"image_id", "category_id", "bbox", "score"} == boxes[0].keys()
        posetrack("--results", str(folder / "poses.json"), "--detector", "none")
        assert not (folder / "poses-boxes.json").exists()

    def test_boxes_of_a_file(self, posetrack, folder, capsys):
        _, loaded = posetrack("--boxes", "people.json")
        assert loaded["detector"][0] == "people.json"
        assert loaded["detector"][1]["conf"] is None
        err = capsys.readouterr().err
        assert "1 images of the boxes are not annotated" in err
        assert "1 of the 2 annotated images have no boxes" in err
        with pytest.raises(UsageError, match="--detector has no effect"):
            posetrack("--boxes", "people.json", "--detector", "bundled")
        with pytest.raises(UsageError, match="'guess' are not known"):
            posetrack("--boxes", "guess")

    def test_boxes_of_other_images(self, posetrack, folder):
        truth = json.loads((folder / "truth.json").read_text())
        for image in truth["images"]:
            image["id"] += 1000
        for person in truth["annotations"]:
            person["image_id"] += 1000
        (folder / "truth.json").write_text(json.dumps(truth))
        with pytest.raises(UsageError, match="the image ids differ"):
            posetrack("--boxes", "people.json")

    def test_errors_are_drawn(self, posetrack, folder, capsys):
        posetrack("--save-errors", str(folder / "errors"), "--worst", "2")
        assert capsys.readouterr().err.splitlines()[-1].endswith(f"error images are in '{folder / 'errors'}'.")
        assert len(list((folder / "errors").glob("pose-*-oks1.00-*.jpg"))) == 2
        with pytest.raises(OutputError, match="already"):
            posetrack("--save-errors", str(folder / "errors"))
        posetrack("--save-errors", str(folder / "errors"), "--worst", "1", "--overwrite")
        assert len(list((folder / "errors").iterdir())) == 1
        with pytest.raises(UsageError, match="--worst is 0"):
            posetrack("--save-errors", str(folder / "errors"), "--worst", "0")

    def test_an_existing_file_is_kept_without_overwrite(self, posetrack, folder):
        (folder / "out.json").write_text("mine")
        for option in ("--json", "--results"):
            with pytest.raises(OutputError, match="--overwrite"):
                posetrack(option, str(folder / "out.json"))
        assert (folder / "out.json").read_text() == "mine"
        posetrack("--json", str(folder / "out.json"), "--overwrite")
        assert json.loads((folder / "out.json").read_text())

    def test_an_unwritable_file(self, posetrack, folder):
        with pytest.raises(OutputError, match="Cannot write"):
            posetrack("--json", str(folder / "truth.json" / "out.json"))
        with pytest.raises(OutputError, match="Cannot create the folder"):
            posetrack("--save-errors", str(folder / "truth.json"))

    def test_boxes_need_no_keypoints(self, posetrack, folder):
        truth = json.loads((folder / "truth.json").read_text())
        for person in truth["annotations"]:
            del person["keypoints"]
        (folder / "truth.json").write_text(json.dumps(truth))
        posetrack("--model", "none", "--json", str(folder / "out.json"))
        facts = json.loads((folder / "out.json").read_text())
        assert facts["boxes"]["AP"] == 1.0
        assert facts["counts"]["people"] == 4
        with pytest.raises(SourceError, match="bbox, image_id, keypoints"):
            posetrack()

    def test_parts_can_be_left_out(self, posetrack, capsys):
        assert posetrack("--model", "none")[1].keys() == {"detector"}
        assert "Keypoints" not in capsys.readouterr().out
        with pytest.raises(UsageError, match="nothing to measure"):
            posetrack("--model", "none", "--detector", "none")
        with pytest.raises(UsageError, match="name a --model"):
            posetrack("--model", "none", "--save-errors", "errors")
