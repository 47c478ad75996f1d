import numpy as np
import pytest

from posetrack.models.evaluation.coco import CROWDPOSE_METRICS, crowdpose_ap
from posetrack.models.geometry.skeletons import CROWDPOSE

SIDE = 100.0
SIGMA_HIP = 0.107


def dataset():
    """An image of each level with a person of 100 x 100 pixels; `area` says otherwise and must not count."""
    line = np.linspace(0, SIDE, 14)
    keypoints = np.stack([line, line, np.full(14, 2)], axis=1).ravel().tolist()
    crowding = (0.1, 0.2, 0.8)  # easy, medium, hard: each level begins with its border
    return {
        "images": [{"id": n, "file_name": f"{n}.jpg", "crowdIndex": c} for n, c in enumerate(crowding, start=1)],
        "annotations": [
            {
                "id": n,
                "image_id": n,
                "category_id": 1,
                "bbox": [0, 0, SIDE, SIDE],
                "area": 1,
                "keypoints": keypoints,
                "num_keypoints": 14,
                "iscrowd": 0,
            }
            for n in (1, 2, 3)
        ],
        "categories": [{"id": 1, "name": "person"}],
    }


def results(truth, shift=0.0):
    found = []
    for annotation in truth["annotations"]:
        keypoints = np.array(annotation["keypoints"]).reshape(14, 3)
        keypoints[:, 0] += shift
        found.append({"image_id": annotation["image_id"], "keypoints": keypoints.ravel().tolist(), "score": 0.9})
    return found


def test_the_truth_scores_one():
    figures = crowdpose_ap(dataset(), results(dataset()))
    assert tuple(figures) == CROWDPOSE_METRICS
    assert set(figures.values()) == {1.0}


def test_a_shift_costs_what_its_own_sigmas_and_areas_say():
    shift = 9.0
    variances = (2 * np.array(CROWDPOSE.sigmas)) ** 2
    similarity = np.exp(-(shift**2) / variances / (0.53 * SIDE**2) / 2).mean()
    thresholds = np.linspace(0.5, 0.95, 10)
    assert 0.5 < similarity < 0.95
    assert abs(thresholds - similarity).min() > 0.005, "the figures must not hang on rounding"
    figures = crowdpose_ap(dataset(), results(dataset(), shift))
    assert figures["AP"] == figures["AR"] == pytest.approx((thresholds < similarity).mean())


@pytest.mark.parametrize(("image", "level"), [(1, "AP_easy"), (2, "AP_medium"), (3, "AP_hard")])
def test_a_miss_costs_its_own_level_only(image, level):
    found = [r for r in results(dataset()) if r["image_id"] != image]
    figures = crowdpose_ap(dataset(), found)
    assert {name: figures[name] for name in ("AP_easy", "AP_medium", "AP_hard")} == {
        name: float(name != level) for name in ("AP_easy", "AP_medium", "AP_hard")
    }
    assert figures["AR"] == pytest.approx(2 / 3)


def test_a_level_without_people_is_minus_one():
    truth = dataset()
    del truth["annotations"][2]
    assert crowdpose_ap(truth, results(truth))["AP_hard"] == -1


def test_the_figures_equal_the_evaluation_of_the_library():
    """faster-coco-eval has CrowdPose's evaluation, too, on files."""
    import json
    import tempfile
    from pathlib import Path

    import faster_coco_eval as coco

    truth, rng = dataset(), np.random.default_rng(1)
    found = results(truth, 7.0) + results(truth, 60.0)
    for result in found:
        result["score"] = float(rng.uniform())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truth.json"
        path.write_text(json.dumps(truth))
        gt = coco.COCO(str(path), print_function=lambda *_: None)
        evaluation = coco.COCOeval_faster(
            gt,
            gt.loadRes([r | {"category_id": 1} for r in found]),
            iouType="keypoints_crowd",
            kpt_oks_sigmas=list(CROWDPOSE.sigmas),
            use_area=False,
            print_function=lambda *_: None,
        )
        evaluation.run()
    np.testing.assert_allclose(list(crowdpose_ap(truth, found).values()), evaluation.all_stats[:9], atol=1e-4)
