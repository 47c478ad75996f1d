import numpy as np
import pytest

from posetrack.models.evaluation.mpii import MPII_METRICS, mpii_metrics, pckh, square_regions
from posetrack.models.geometry import processing
from posetrack.models.geometry.crop import crop_matrices, transform
from posetrack.models.geometry.skeletons import MPII


def truth(people=2, head=20.0):
    points = np.random.default_rng(0).uniform(0, 300, (people, 16, 2))
    keypoints = np.concatenate([points, np.full((people, 16, 1), 2.0)], axis=2)
    annotations = [
        {"image_id": n, "keypoints": person.ravel().tolist(), "head": head} for n, person in enumerate(keypoints)
    ]
    return {"images": [{"id": n} for n in range(people)], "annotations": annotations}


def results(data, shifts):
    """The truth, each keypoint moved right by a number of pixels."""
    found = []
    for annotation in data["annotations"]:
        keypoints = np.array(annotation["keypoints"]).reshape(16, 3)
        keypoints[:, 0] += shifts
        found.append({"image_id": annotation["image_id"], "keypoints": keypoints.ravel().tolist(), "score": 1.0})
    return found


def test_the_truth_scores_one():
    figures = mpii_metrics(truth(), results(truth(), 0))
    assert tuple(figures) == (*MPII_METRICS, *MPII.keypoints)
    assert set(figures.values()) == {1.0}


@pytest.mark.parametrize(("shift", "half", "tenth"), [(1.9, 1, 1), (2.1, 1, 0), (9.9, 1, 0), (10.1, 0, 0)])
def test_a_shift_counts_in_heads(shift, half, tenth):
    figures = mpii_metrics(truth(), results(truth(), shift))
    assert (figures["PCKh"], figures["PCKh@0.1"], figures["left_knee"]) == (half, tenth, half)


def test_pelvis_and_thorax_do_not_enter_the_mean_and_sides_share_a_group():
    shifts = np.zeros(16)
    shifts[[6, 7]] = 99
    assert mpii_metrics(truth(), results(truth(), shifts))["PCKh"] == 1.0
    shifts[MPII.keypoints.index("left_wrist")] = 99
    figures = mpii_metrics(truth(), results(truth(), shifts))
    assert (figures["Wrist"], figures["left_wrist"], figures["thorax"]) == (0.5, 0.0, 0.0)
    assert figures["PCKh"] == pytest.approx(13 / 14)


def test_the_mean_counts_keypoints_not_joints():
    data = truth()
    data["annotations"][1]["keypoints"][3 * 9 + 2] = 0  # the second person's head top is not labelled
    shifts = np.zeros(16)
    shifts[9] = 99
    figures = mpii_metrics(data, results(data, shifts))
    assert figures["Head"] == 0.0
    assert figures["PCKh"] == pytest.approx(26 / 27)


def test_a_joint_that_no_one_has_and_a_person_without_any():
    data = truth(3)
    for annotation in data["annotations"]:
        annotation["keypoints"][2] = 0
    found = results(data, 0)
    data["annotations"][1]["keypoints"] = [0] * 48
    del found[1]
    figures = mpii_metrics(data, found)
    assert figures["right_ankle"] == figures["Ankle"] == -1
    assert figures["PCKh"] == 1.0


def test_missing_keypoints_are_too_far():
    points = np.zeros((1, 2, 2))
    found = points.copy()
    found[0, 1] = np.nan
    assert pckh(found, points, np.ones((1, 2), bool), np.ones(1)).tolist() == [1.0, 0.0]


def test_crops_are_square_in_the_image():
    square = square_regions(processing.UDP)
    centers, sizes = square.regions(np.array([[100.0, 100, 300, 300]]), (256, 192))
    assert (centers.tolist(), sizes.tolist()) == ([[200, 200]], [[250, 250]])
    corners = transform(np.array([[[75.0, 75], [325, 325]]]), crop_matrices(centers, sizes, input_size=(256, 192)))
    np.testing.assert_allclose(corners, [[[0, 0], [191, 255]]], atol=1e-9)
