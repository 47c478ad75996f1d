import json

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from posetrack.errors import SourceError, UsageError
from posetrack.models.evaluation.annotations import dataset_of, read_annotations
from posetrack.tracker.evaluation.pictures import evaluate
from posetrack.tracker.types import Poses


@pytest.fixture
def mpii(tmp_path):
    """Two people in one picture and a third in another; heads of 30 x 40 pixels, so 0.6 x 50 = 30."""
    rng = np.random.default_rng(0)
    points = rng.uniform(1, 300, (3, 16, 2))
    missing = np.zeros((3, 16))
    missing[1, 9] = 1
    corners = np.stack([np.zeros((2, 3)), np.array([[30.0] * 3, [40.0] * 3])])
    savemat(
        tmp_path / "mpii_gt_val.mat",
        {"headboxes_src": corners, "pos_gt_src": points.transpose(1, 2, 0), "jnt_missing": missing.T},
    )
    entries = [
        {"image": name, "center": [101.0, 86.0], "scale": 1.0, "joints": [], "joints_vis": []}
        for name in ("a.png", "a.png", "b.png")
    ]
    (tmp_path / "mpii_val.json").write_text(json.dumps(entries))
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((320, 320, 3), np.uint8))
    return tmp_path, points


def test_mpii_comes_in_the_form_of_coco(mpii):
    folder, points = mpii
    truth = read_annotations(folder / "mpii_val.json")
    assert dataset_of(truth).name == "mpii"
    assert [i["file_name"] for i in truth["images"]] == ["a.png", "b.png"]
    assert [a["image_id"] for a in truth["annotations"]] == [1, 1, 2]
    person = truth["annotations"][1]
    assert person["head"] == pytest.approx(30)
    assert person["bbox"] == [0, 0, 200, 200]  # centre 101 - 1, 86 - 1 + 15
    keypoints = np.array(person["keypoints"]).reshape(16, 3)
    np.testing.assert_allclose(keypoints[:, :2], points[1] - 1)
    assert keypoints[:, 2].tolist() == [2] * 9 + [0] + [2] * 6


@pytest.mark.parametrize(("shift", "expected"), [(0, (1, 1)), (14, (1, 0)), (16, (0, 0))])
def test_mpii_is_measured_in_heads(mpii, shift, expected):
    folder, points = mpii

    def estimate(frame, detections):
        here = {1: points[:2], 2: points[2:]}[frame.index] - 1 + (shift, 0)
        return Poses(detections.boxes, here, np.full((len(here), 16), 0.5), detections.scores)

    figures = evaluate(folder, folder / "mpii_val.json", lambda seen: [estimate(*one) for one in seen]).tables[
        "keypoints"
    ]
    assert (figures["PCKh"], figures["PCKh@0.1"]) == expected


def test_mpii_has_no_other_boxes(mpii):
    folder, _ = mpii
    with pytest.raises(UsageError, match="Leave the detector out"):
        evaluate(folder, folder / "mpii_val.json", None, detector=lambda frame: None)


def test_mpii_files_that_are_missing_broken_or_of_another_set(mpii):
    folder, _ = mpii
    entries = json.loads((folder / "mpii_val.json").read_text())
    (folder / "few.json").write_text(json.dumps(entries[:2]))
    with pytest.raises(SourceError, match=r"has 3 people, but .* has 2"):
        read_annotations(folder / "few.json")
    (folder / "mpii_val.json").write_text(json.dumps([{"joints": []}, *entries[1:]]))
    with pytest.raises(SourceError, match="person 0"):
        read_annotations(folder / "mpii_val.json")
    (folder / "mpii_gt_val.mat").write_text("no matrix")
    with pytest.raises(SourceError, match="Cannot read the heads"):
        read_annotations(folder / "mpii_val.json")
    (folder / "mpii_gt_val.mat").unlink()
    with pytest.raises(SourceError, match=r"Put 'mpii_gt_val.mat' or 'gt_valid.mat'"):
        read_annotations(folder / "mpii_val.json")


def person(count, *, size=100.0):
    line = np.linspace(0, size, count)
    keypoints = np.stack([line, line, np.full(count, 2)], axis=1).ravel().tolist()
    return {"image_id": 1, "category_id": 1, "bbox": [0.0, 0, size, size], "keypoints": keypoints, "iscrowd": 0}


@pytest.mark.parametrize(
    ("extra", "count", "name"), [({"crowdIndex": 0.5}, 14, "crowdpose"), ({}, 17, "coco")], ids=["crowdpose", "ochuman"]
)
@pytest.mark.parametrize(("shift", "ap"), [(0, 1.0), (500, 0.0)])
def test_crowdpose_and_ochuman_go_through_the_same_evaluation(tmp_path, extra, count, name, shift, ap):
    # OCHuman's own converter gives an area, that of the box, and no crowds
    annotation = person(count) | {"area": 1e4, "num_keypoints": count, "id": 1}
    category = {"id": 1, "name": "person"}
    image = {"id": 1, "file_name": "1.png", "width": 100, "height": 100} | extra
    truth = {"images": [image], "annotations": [annotation], "categories": [category]}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((100, 100, 3), np.uint8))

    def estimate(frame, detections):
        points = np.array(annotation["keypoints"]).reshape(1, count, 3)[..., :2] + (shift, 0)
        return Poses(detections.boxes, points, np.full((1, count), 0.9), detections.scores)

    run = evaluate(tmp_path, tmp_path / "truth.json", lambda seen: [estimate(*one) for one in seen])
    assert run.dataset.name == name
    assert run.tables["keypoints"]["AP"] == ap


def test_ochumans_own_file_is_refused_with_advice(tmp_path):
    (tmp_path / "ochuman.json").write_text(json.dumps({"keypoint_names": [], "images": []}))
    with pytest.raises(SourceError, match="ochuman_coco_format"):
        read_annotations(tmp_path / "ochuman.json")
