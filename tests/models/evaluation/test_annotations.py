import json

import cv2
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from posetrack.errors import SourceError, UsageError
from posetrack.models.evaluation.annotations import dataset_of, read_annotations
from posetrack.tracker.evaluation.images import evaluate
from posetrack.tracker.types import Poses


@pytest.fixture
def mpii(tmp_path):
    """Two people in one image and a third in another; heads of 30 x 40 pixels, so 0.6 x 50 = 30."""
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


PERSON = {"image_id": 1, "category_id": 1, "bbox": [5, 5, 40, 60], "keypoints": [10, 10, 2] * 17}
HOSTILE = {
    "a name that leaves the folder": {"images": [{"id": 1, "file_name": "../secret.jpg"}]},
    "an absolute name": {"images": [{"id": 1, "file_name": "/secret.jpg"}]},
    "a number as a name": {"images": [{"id": 1, "file_name": 5}]},
    "an id that is a list": {"images": [{"id": [1], "file_name": "a.jpg"}]},
    "a crowd index that is text": {"images": [{"id": 1, "file_name": "a.jpg", "crowdIndex": "x"}]},
    "no images": {"images": []},
    "an unknown image": {"annotations": [PERSON | {"image_id": 9}]},
    "an image that is an object": {"annotations": [PERSON | {"image_id": {}}]},
    "half a box": {"annotations": [PERSON | {"bbox": [1, 2]}]},
    "a box of NaN": {"annotations": [PERSON | {"bbox": [float("nan")] * 4}]},
    "a box without end": {"annotations": [PERSON | {"bbox": [0, 0, 1e308, 1e308]}]},
    "keypoints of null": {"annotations": [PERSON | {"keypoints": [None] * 51}]},
    "an area that is text": {"annotations": [PERSON | {"area": "x"}]},
    "a crowd that is text": {"annotations": [PERSON | {"iscrowd": "a"}]},
    "a category that is a list": {"annotations": [PERSON | {"category_id": []}]},
    "categories that are text": {"categories": "x"},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_annotations_that_cannot_be_evaluated_are_refused_by_their_entry(tmp_path, change):
    path = tmp_path / "a.json"
    good = {"images": [{"id": 1, "file_name": "day/a.jpg"}], "annotations": [PERSON], "categories": [{"id": 1}]}
    path.write_text(json.dumps(good))
    assert read_annotations(path) == good
    path.write_text(json.dumps(good | change))
    with pytest.raises(SourceError, match=r"(image|annotation|category) 0: "):
        read_annotations(path)


@pytest.mark.parametrize("change", [{"center": [1]}, {"scale": float("nan")}, {"image": "../b.png"}, {"image": 5}])
def test_mpii_people_that_cannot_be_evaluated_are_refused(mpii, change):
    path = mpii[0] / "mpii_val.json"
    first, *rest = json.loads(path.read_text())
    path.write_text(json.dumps([first | change, *rest]))
    with pytest.raises(SourceError, match="person 0"):
        read_annotations(path)


def test_damaged_heads_of_mpii_are_refused(mpii):
    heads = mpii[0] / "mpii_gt_val.mat"
    arrays = {name: array for name, array in loadmat(heads).items() if not name.startswith("_")}
    savemat(heads, arrays, do_compression=True)
    whole = heads.read_bytes()
    for at in range(126, len(whole), 60):  # behind the header's text
        heads.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with pytest.raises(SourceError, match="Cannot read the heads"):
            read_annotations(mpii[0] / "mpii_val.json")
