import json

import numpy as np
import parity
import pytest

from posetrack.models.evaluation.potr import rescore_sets, select_people
from posetrack.models.geometry import crop
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.set_decoding import decode_set, merge_mirrored

FIXTURE = np.load(parity.FOLDER / "prepost.npz")
META = json.loads((parity.FOLDER / "prepost.json").read_text())
SIZES = {"potr": (256, 192), "potr_288x384": (384, 288)}


def outputs(kind):
    return {
        "pred_logits": FIXTURE[f"potr_{kind}logits"],
        "pred_boxes": FIXTURE[f"potr_{kind}boxes"],
    }


def back_maps():
    centers = np.array([target["center"] for target in META["potr_targets"]])
    sizes = np.array([target["scale"] for target in META["potr_targets"]]) * 200
    return crop.invert(crop.potr_matrices(centers, sizes, input_size=(256, 192)))


@pytest.mark.parametrize("image", ["bus", "syn"])
@pytest.mark.parametrize("size", SIZES)
def test_regions_and_matrices_are_those_of_potr(image, size):
    boxes = np.array(META[f"boxes_{image}"])
    boxes[:, 2:] += boxes[:, :2]
    centers, sizes = crop.crop_regions(boxes, input_size=SIZES[size])
    np.testing.assert_allclose(centers, FIXTURE[f"{image}_{size}_center"], atol=1e-4)
    np.testing.assert_allclose(sizes / 200, FIXTURE[f"{image}_{size}_scale"], atol=1e-5)
    matrices = crop.potr_matrices(
        FIXTURE[f"{image}_{size}_center"], FIXTURE[f"{image}_{size}_scale"] * 200, input_size=SIZES[size]
    )
    np.testing.assert_allclose(matrices, FIXTURE[f"{image}_{size}_matrix"], rtol=1e-5, atol=1e-5)


def test_rotated_matrices_are_those_of_potr():
    matrices = crop.potr_matrices(
        FIXTURE["bus_potr_center"][[0, 0]],
        FIXTURE["bus_potr_scale"][[0, 0]] * 200,
        input_size=(256, 192),
        rotations=-np.radians(META["rots"]),  # the original counts the other way round
    )
    np.testing.assert_allclose(matrices, FIXTURE["rot_potr_matrix"], rtol=1e-5, atol=1e-4)


def test_crops_are_those_of_potr():
    image = parity.fill.make_image(480, 640)
    matrices = crop.potr_matrices(FIXTURE["syn_potr_center"], FIXTURE["syn_potr_scale"] * 200, input_size=(256, 192))
    crops = crop.warp(image, matrices, input_size=(256, 192))
    assert np.abs(crops[0].astype(int) - FIXTURE["syn_potr_crop0"]).mean() < 0.3  # releases of OpenCV differ
    assert np.abs(crops[:, ::4, ::4].astype(int) - FIXTURE["syn_potr_crops_sub"]).mean() < 0.3


def test_inverse_brings_points_back():
    rng = np.random.default_rng(0)
    centers, sizes = crop.crop_regions(rng.uniform(0, 200, (4, 4)).cumsum(1), input_size=(256, 192))
    matrices = crop.potr_matrices(centers, sizes, input_size=(256, 192), rotations=rng.uniform(-3, 3, 4))
    points = rng.uniform(0, 500, (4, 17, 2))
    there = crop.transform(points, matrices)
    np.testing.assert_allclose(crop.transform(there, crop.invert(matrices)), points, atol=1e-9)


def test_the_sides_of_the_region_are_the_sides_of_the_crop():
    matrices = crop.potr_matrices(np.array([[50.0, 80.0]]), np.array([[30.0, 40.0]]), input_size=(256, 192))
    corners = np.array([[[35.0, 60.0], [65.0, 100.0]]])
    np.testing.assert_allclose(crop.transform(corners, matrices), [[[0, 0], [192, 256]]], atol=1e-9)


def test_decoding_is_that_of_the_original():
    points, scores = decode_set(outputs(""), (256, 192))
    keypoints = crop.transform(points, back_maps())
    for person, expected in enumerate(META["potr_post_results"]):
        truth = np.array(expected["keypoints"]).reshape(17, 3)
        there = truth[:, 2] > 0
        np.testing.assert_array_equal(np.isfinite(points[person]).all(1), there)
        np.testing.assert_array_equal(scores[person] > 0, there)
        np.testing.assert_allclose(keypoints[person, there], truth[there, :2], atol=1e-3)
        np.testing.assert_allclose(scores[person].sum(), expected["score"], rtol=1e-6)
        assert np.count_nonzero(scores[person]) == expected["score_norm"]


def test_the_flip_test_is_that_of_the_original():
    points, _ = decode_set(outputs(""), (256, 192))
    mirrored, _ = decode_set(outputs("flip_"), (256, 192))
    merged = merge_mirrored(points, mirrored, width=192, flip_order=COCO.flip_order)
    expected = np.array(META["potr_flip_merged_keypoints"]).reshape(2, 17, 3)
    assert (expected[..., 2] == 1).all()
    np.testing.assert_allclose(crop.transform(merged, back_maps()), expected[..., :2], atol=1e-3)


def test_the_most_certain_query_speaks_for_a_keypoint():
    probabilities = np.array([[[0.5, 0.1, 0.4], [0.7, 0.2, 0.1], [0.06, 0.04, 0.9], [0.1, 0.1, 0.8]]])  # K = 2
    boxes = np.array([[[0.1, 0.1], [0.5, 0.25], [0.3, 0.3], [0.4, 0.4]]])
    points, scores = decode_set({"pred_logits": np.log(probabilities), "pred_boxes": boxes}, (40, 20))
    np.testing.assert_allclose(points[0, 0], [10, 10], rtol=1e-6)  # x by the width, y by the height
    np.testing.assert_allclose(scores, [[0.7, 0.0]], rtol=1e-6)
    assert np.isnan(points[0, 1]).all()  # the second keypoint is no query's best


def test_no_keypoint_does_not_silence_a_query():
    logits = np.array([[[0.0, 9.0]]])
    points, scores = decode_set({"pred_logits": logits, "pred_boxes": np.full((1, 1, 2), 0.5)}, (4, 2))
    np.testing.assert_allclose(points, [[[1.0, 2.0]]])
    assert 0 < scores[0, 0] < 1e-3


def test_decoding_does_not_depend_on_the_order_of_the_queries():
    original = outputs("")
    order = np.random.default_rng(0).permutation(100)
    shuffled = decode_set({key: value[:, order] for key, value in original.items()}, (256, 192))
    for a, b in zip(shuffled, decode_set(original, (256, 192)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_one_takes_the_same_path():
    points, scores = decode_set({"pred_logits": np.zeros((0, 5, 18)), "pred_boxes": np.zeros((0, 5, 2))}, (256, 192))
    assert points.shape == (0, 17, 2)
    assert scores.shape == (0, 17)
    assert merge_mirrored(points, points, width=192, flip_order=COCO.flip_order).shape == (0, 17, 2)
    matrices = crop.potr_matrices(np.zeros((0, 2)), np.zeros((0, 2)), input_size=(256, 192))
    assert matrices.shape == (0, 2, 3)
    assert rescore_sets(np.zeros(0), np.zeros((0, 17))).shape == (0,)
    kept, people = select_people(np.zeros((0, 17, 2)), np.zeros(0), np.zeros(0))
    assert kept.shape == people.shape == (0,)


def test_a_mirrored_set_gives_the_same_points():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 192, (3, 17, 2))
    mirrored = points[:, COCO.flip_order] * (-1, 1) + (192, 0)
    missing = points.copy()
    missing[0, 3] = np.nan
    np.testing.assert_allclose(merge_mirrored(missing, mirrored, width=192, flip_order=COCO.flip_order), points)
    mirrored[0, COCO.flip_order[3]] = np.nan
    merged = merge_mirrored(missing, mirrored, width=192, flip_order=COCO.flip_order)
    assert np.isnan(merged[0, 3]).all()
    assert np.isfinite(merged).sum() == merged.size - 2


def test_rescoring_and_suppression_are_those_of_the_original():
    found = []
    for image in (1, 2):
        people = [person for person in META["potr_rescore_in"] if person["image_id"] == image]
        keypoints = np.array([person["keypoints"] for person in people]).reshape(-1, 17, 3)
        scores = np.zeros((len(people), 17))
        for row, person in zip(scores, people, strict=True):
            row[: int(person["score_norm"])] = person["score"] / 17
        box_scores = np.array([person["bbox_score"] for person in people])
        areas = np.array([person["area"] for person in people])
        kept, certain = select_people(keypoints[..., :2], rescore_sets(box_scores, scores), areas)
        assert len(kept) == len(certain)
        found += [[image, score] for score in certain]
    np.testing.assert_allclose(found, META["potr_rescore_out"], rtol=1e-6)


@pytest.mark.parametrize("threshold", ["0.5", "0.7", "0.9", "0.99"])
def test_the_kept_people_are_those_of_the_original(threshold):
    kept, scores = select_people(
        FIXTURE["oks_kpts"][..., :2], FIXTURE["oks_scores"], FIXTURE["oks_areas"], threshold=float(threshold)
    )
    assert kept.tolist() == META["oks_nms_keep_potr"][threshold]
    np.testing.assert_array_equal(scores, FIXTURE["oks_scores"][kept])


def test_a_small_person_keeps_no_score():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(100, 120, (1, 17, 2))  # 20 x 20 pixels
    keypoints[0, 3] = np.nan  # would stretch the person to the corner, were it a point there
    assert select_people(keypoints, np.array([0.8]), np.array([1e4]))[1].tolist() == [0.0]
    nothing = np.full((1, 17, 2), np.nan)
    assert select_people(nothing, np.zeros(1), np.array([1e4]))[1].tolist() == [0.0]
    assert select_people(keypoints * 4, np.array([0.8]), np.array([1e4]))[1].tolist() == [0.8]
