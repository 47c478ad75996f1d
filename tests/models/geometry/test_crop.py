import json

import cv2
import numpy as np
import parity
import pytest

from posetrack.models.geometry import crop

FIXTURE = np.load(parity.FOLDER / "prepost.npz")
META = json.loads((parity.FOLDER / "prepost.json").read_text())
SIZE = (256, 192)


def xyxy(boxes):
    boxes = np.array(boxes)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


@pytest.mark.parametrize("image", ["bus", "syn"])
def test_regions_and_matrices_are_those_of_vitpose(image):
    centers, sizes = crop.crop_regions(xyxy(META[f"boxes_{image}"]), input_size=SIZE)
    np.testing.assert_allclose(centers, FIXTURE[f"{image}_vitpose_udp_center"], atol=1e-4)
    np.testing.assert_allclose(sizes / 200, FIXTURE[f"{image}_vitpose_udp_scale"], atol=1e-5)
    expected = FIXTURE[f"{image}_vitpose_udp_matrix"]
    matrices = crop.crop_matrices(
        FIXTURE[f"{image}_vitpose_udp_center"], FIXTURE[f"{image}_vitpose_udp_scale"] * 200, input_size=SIZE
    )
    np.testing.assert_allclose(matrices, expected, rtol=1e-5, atol=1e-5)


def test_rotated_matrices_are_those_of_vitpose():
    matrices = crop.crop_matrices(
        FIXTURE["bus_vitpose_udp_center"][[0, 0]],
        FIXTURE["bus_vitpose_udp_scale"][[0, 0]] * 200,
        input_size=SIZE,
        rotations=np.radians(META["rots"]),
    )
    np.testing.assert_allclose(matrices, FIXTURE["rot_vitpose_udp_matrix"], rtol=1e-5, atol=1e-4)


def test_crops_are_those_of_vitpose():
    image = parity.fill.make_image(480, 640)
    matrices = crop.crop_matrices(
        FIXTURE["syn_vitpose_udp_center"], FIXTURE["syn_vitpose_udp_scale"] * 200, input_size=SIZE
    )
    crops = crop.warp(image, matrices, input_size=SIZE)
    difference = np.abs(crops[0].astype(int) - FIXTURE["syn_vitpose_udp_crop0"])
    assert difference.mean() < 0.3  # releases of OpenCV differ by a few grey levels


def test_inverse_brings_points_back():
    rng = np.random.default_rng(0)
    centers, sizes = crop.crop_regions(rng.uniform(0, 200, (4, 4)).cumsum(1), input_size=SIZE)
    matrices = crop.crop_matrices(centers, sizes, input_size=SIZE, rotations=rng.uniform(-3, 3, 4))
    points = rng.uniform(0, 500, (4, 17, 2))
    there = crop.transform(points, matrices)
    np.testing.assert_allclose(crop.transform(there, crop.invert(matrices)), points, atol=1e-9)


def test_corners_of_the_region_are_corners_of_the_crop():
    matrices = crop.crop_matrices(np.array([[50.0, 80.0]]), np.array([[30.0, 40.0]]), input_size=SIZE)
    corners = np.array([[[35.0, 60.0], [65.0, 100.0]]])
    np.testing.assert_allclose(crop.transform(corners, matrices), [[[0, 0], [191, 255]]], atol=1e-9)


def test_a_box_without_area_still_gives_an_invertible_map():
    centers, sizes = crop.crop_regions(np.array([[10, 10, 10, 10]]), input_size=SIZE)
    assert np.isfinite(crop.invert(crop.crop_matrices(centers, sizes, input_size=SIZE))).all()


def test_no_one_takes_the_same_path():
    centers, sizes = crop.crop_regions(np.zeros((0, 4)), input_size=SIZE)
    matrices = crop.crop_matrices(centers, sizes, input_size=SIZE)
    crops = crop.warp(np.zeros((9, 9, 3), np.uint8), matrices, input_size=SIZE)
    assert crop.normalize(crops).shape == (0, 3, 256, 192)


def test_normalize_turns_bgr_into_normalised_rgb_planes():
    crops = np.zeros((1, 2, 2, 3), np.uint8)
    crops[..., 2] = 255  # red
    planes = crop.normalize(crops)
    np.testing.assert_allclose(planes[0, :, 0, 0], (np.array([1, 0, 0]) - crop.MEAN) / crop.STD, rtol=1e-5)


def test_places_outside_of_the_image_are_black():
    image = np.full((20, 20, 3), 255, np.uint8)
    matrices = crop.crop_matrices(np.array([[0.0, 0.0]]), np.array([[30.0, 40.0]]), input_size=SIZE)
    crops = crop.warp(image, matrices, input_size=SIZE)
    assert crops[0, 0, 0].tolist() == [0, 0, 0]
    assert crops[0, 200, 180].tolist() == [255, 255, 255]
    assert cv2.countNonZero(crops[0, ..., 0]) < 256 * 192 / 3
