import copy
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.models.evaluation.coco import (
    BOX_METRICS,
    KEYPOINT_METRICS,
    coco_box_ap,
    coco_keypoint_ap,
    oks_nms,
    person_category,
    rescore,
)

DATA = Path(__file__).parents[2] / "data"


def person(image_id, x, *, size=200, labelled=17, **fields):
    """A standing person whose keypoints fill the box; the first `labelled` of them are in the truth."""
    grid = np.stack([x + size * np.linspace(0.1, 0.9, 17) % size, 50 + size * np.linspace(0, 1, 17)], axis=1)
    visible = np.where(np.arange(17) < labelled, 2, 0)
    keypoints = np.concatenate([grid, visible[:, None]], axis=1)
    return {
        "image_id": image_id,
        "category_id": 1,
        "bbox": [x, 50.0, size, size],
        "keypoints": keypoints.ravel().tolist(),
        **fields,
    }


def result(annotation, *, shift=0.0, score=0.9):
    keypoints = np.array(annotation["keypoints"]).reshape(-1, 3) + np.array([shift, 0, 0])
    left, *rest = annotation["bbox"]
    return {
        "image_id": annotation["image_id"],
        "keypoints": keypoints.ravel().tolist(),
        "bbox": [left + shift, *rest],
        "score": score,
    }


def dataset(*people, images=2):
    return {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(1, images + 1)],
        "annotations": list(people),
        "categories": [{"id": 1, "name": "person"}],
    }


PEOPLE = person(1, 0.0), person(1, 300.0), person(2, 100.0)


@pytest.mark.parametrize(("measure", "names"), [(coco_keypoint_ap, KEYPOINT_METRICS), (coco_box_ap, BOX_METRICS)])
class TestBothMeasures:
    def test_perfect_results_score_one(self, measure, names):
        figures = measure(dataset(*PEOPLE), [result(p) for p in PEOPLE])
        assert tuple(figures) == names
        assert figures["AP"] == figures["AP50"] == figures["AP75"] == figures["AP_L"] == figures["AR"] == 1.0

    def test_a_size_without_people_is_minus_one(self, measure, names):
        assert measure(dataset(*PEOPLE), [result(p) for p in PEOPLE])["AP_M"] == -1

    def test_nothing_found_is_zero(self, measure, names):
        figures = measure(dataset(*PEOPLE), [])
        assert figures["AP"] == figures["AR"] == 0.0

    def test_a_missing_person_lowers_recall_by_its_share(self, measure, names):
        figures = measure(dataset(*PEOPLE), [result(p) for p in PEOPLE[:2]])
        assert figures["AR"] == pytest.approx(2 / 3)
        assert figures["AP"] == pytest.approx(67 / 101)  # precision 1 at the recalls 0 .. 0.66 of COCO's 101

    def test_a_far_shift_finds_no_one(self, measure, names):
        assert measure(dataset(*PEOPLE), [result(p, shift=1000) for p in PEOPLE])["AP"] == 0.0

    def test_a_small_shift_costs_the_strict_thresholds_only(self, measure, names):
        figures = measure(dataset(*PEOPLE), [result(p, shift=12) for p in PEOPLE])
        assert figures["AP50"] == 1.0
        assert 0.3 < figures["AP"] < 1.0

    def test_a_certain_false_positive_costs_precision_not_recall(self, measure, names):
        found = [result(p) for p in PEOPLE] + [result(PEOPLE[2], shift=350, score=0.99)]
        figures = measure(dataset(*PEOPLE), found)
        assert figures["AR"] == 1.0
        assert figures["AP"] < 1.0

    def test_crowds_are_neither_demanded_nor_punished(self, measure, names):
        crowd = person(2, 350.0, iscrowd=1)
        truth = dataset(*PEOPLE, crowd)
        assert measure(truth, [result(p) for p in PEOPLE])["AP"] == 1.0
        assert measure(truth, [*(result(p) for p in PEOPLE), result(crowd, score=0.99)])["AP"] == 1.0

    def test_other_categories_do_not_count(self, measure, names):
        truth = dataset(*PEOPLE, person(2, 400.0) | {"category_id": 18})
        truth["categories"].append({"id": 18, "name": "dog"})
        assert measure(truth, [result(p) for p in PEOPLE])["AP"] == 1.0

    def test_inputs_stay_as_they_are_and_nothing_is_printed(self, measure, names, capfd):
        truth, found = dataset(*PEOPLE), [result(p) for p in PEOPLE]
        before = copy.deepcopy((truth, found))
        measure(truth, found)
        assert (truth, found) == before
        assert capfd.readouterr() == ("", "")


def test_people_without_labelled_keypoints_are_neither_demanded_nor_punished():
    unlabelled = person(2, 400.0, labelled=0)
    truth = dataset(*PEOPLE, unlabelled)
    assert coco_keypoint_ap(truth, [result(p) for p in PEOPLE])["AP"] == 1.0
    assert coco_keypoint_ap(truth, [*(result(p) for p in PEOPLE), result(unlabelled, score=0.99)])["AP"] == 1.0
    assert coco_box_ap(truth, [result(p) for p in PEOPLE])["AR"] == 0.75, "its box still counts"


def test_keypoints_count_twenty_people_a_image():
    crowd = [person(1, 40.0 * i, size=100) for i in range(25)]
    assert coco_keypoint_ap(dataset(*crowd), [result(p) for p in crowd])["AR"] == pytest.approx(20 / 25)


def test_keypoint_figures_equal_pycocotools():
    data = json.loads((DATA / "coco_eval.json").read_text())
    assert list(coco_keypoint_ap(data["gt"], data["dets"]).values()) == pytest.approx(data["stats"], abs=1e-12)


@pytest.mark.parametrize(
    ("categories", "expected"),
    [([{"id": 3, "name": "dog"}, {"id": 7, "name": "person"}], 7), ([{"id": 5, "name": "human"}], 5), ([], 1)],
)
def test_person_category(categories, expected):
    assert person_category({"categories": categories}) == expected


@pytest.fixture(scope="module")
def original():
    """Six poses and what the original code made of them."""
    return json.loads((DATA / "oks_nms.json").read_text())


def test_rescore_equals_the_original(original):
    scores = np.array(original["keypoints"])[..., 2]
    np.testing.assert_allclose(rescore(np.array(original["scores"]), scores), original["rescored"], rtol=1e-6)


def test_rescore_leaves_uncertain_keypoints_out():
    scores = np.array([[0.8, 0.6, 0.2, 0.0], [0.2, 0.1, 0.0, 0.0]])
    np.testing.assert_allclose(rescore(np.array([0.5, 1.0]), scores), [0.35, 0.0])
    assert rescore(np.zeros(0), np.zeros((0, 17))).shape == (0,)


@pytest.mark.parametrize("threshold", ["0.5", "0.7", "0.9", "0.99"])
def test_oks_nms_equals_the_original(original, threshold):
    keypoints = np.array(original["keypoints"])[..., :2]
    kept = oks_nms(keypoints, np.array(original["scores"]), np.array(original["areas"]), threshold=float(threshold))
    assert kept.tolist() == original["kept"][threshold]


def test_oks_nms_does_not_depend_on_the_order(original):
    keypoints, scores = np.array(original["keypoints"])[..., :2], np.array(original["scores"])
    areas, order = np.array(original["areas"]), np.random.default_rng(0).permutation(6)
    assert order[oks_nms(keypoints[order], scores[order], areas[order])].tolist() == original["kept"]["0.9"]


def test_oks_nms_takes_missing_keypoints_and_no_one():
    pose = np.full((2, 17, 2), np.nan)
    pose[:, :5] = np.arange(10.0).reshape(5, 2)
    assert oks_nms(pose, np.array([0.3, 0.4]), np.full(2, 1e4)).tolist() == [1]
    assert oks_nms(np.zeros((0, 17, 2)), np.zeros(0), np.zeros(0)).shape == (0,)


def test_a_missing_evaluator_is_reported_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(UsageError, match=r"needs faster-coco-eval. Install it: pip install 'posetrack\[eval\]'"):
        coco_keypoint_ap({"images": [], "annotations": []}, [])
