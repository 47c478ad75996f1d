import json

import cv2
import numpy as np
import parity
import pytest
import torch

from posetrack.models.geometry import crop, heatmap
from posetrack.models.geometry.processing import DARK_TRANSPOSE, POTR, UDP, UDP_SHRUNK
from posetrack.models.weights.variants import ZOO

FIXTURE = np.load(parity.FOLDER / "prepost.npz")
META = json.loads((parity.FOLDER / "prepost.json").read_text())
SIZE = (256, 192)
FAMILIES = {"udp": UDP, "transpose": DARK_TRANSPOSE}


def xyxy(boxes):
    boxes = np.array(boxes)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def whole_map_decode(heatmaps):
    """TransPose's DARK as its authors compute it, on whole maps and one peak at a time."""
    n, k, h, w = heatmaps.shape
    points = np.zeros((n, k, 2))
    for i in range(n):
        for j in range(k):
            one = heatmaps[i, j].astype(np.float64)
            y, x = np.divmod(one.argmax(), w)
            smooth = cv2.GaussianBlur(np.pad(one, 5), (11, 11), 0)[5:-5, 5:-5]
            log = np.log(np.maximum(smooth * one.max() / smooth.max(), 1e-10))
            points[i, j] = x, y
            if 1 < x < w - 2 and 1 < y < h - 2:
                dx, dy = (log[y, x + 1] - log[y, x - 1]) / 2, (log[y + 1, x] - log[y - 1, x]) / 2
                dxx = (log[y, x + 2] - 2 * log[y, x] + log[y, x - 2]) / 4
                dyy = (log[y + 2, x] - 2 * log[y, x] + log[y - 2, x]) / 4
                dxy = (log[y + 1, x + 1] - log[y - 1, x + 1] - log[y + 1, x - 1] + log[y - 1, x - 1]) / 4
                points[i, j] -= np.linalg.solve([[dxx, dxy], [dxy, dyy]], [dx, dy])
    return points


@pytest.mark.parametrize("image", ["bus", "syn"])
def test_regions_and_matrices_are_those_of_transpose(image):
    centers, sizes = DARK_TRANSPOSE.regions(xyxy(META[f"boxes_{image}"]), SIZE)
    np.testing.assert_allclose(centers, FIXTURE[f"{image}_transpose_center"], atol=1e-4)
    np.testing.assert_allclose(sizes / 200, FIXTURE[f"{image}_transpose_scale"], atol=1e-5)
    matrices = DARK_TRANSPOSE.matrices(
        FIXTURE[f"{image}_transpose_center"], FIXTURE[f"{image}_transpose_scale"] * 200, input_size=SIZE
    )
    np.testing.assert_allclose(matrices, FIXTURE[f"{image}_transpose_matrix"], rtol=1e-5, atol=1e-5)


def test_rotated_matrices_are_those_of_transpose():
    matrices = crop.transpose_matrices(
        FIXTURE["bus_transpose_center"][[0, 0]],
        FIXTURE["bus_transpose_scale"][[0, 0]] * 200,
        input_size=SIZE,
        rotations=-np.radians(META["rots"]),  # TransPose turns the region, not its content
    )
    np.testing.assert_allclose(matrices, FIXTURE["rot_transpose_matrix"], rtol=1e-5, atol=1e-4)


def test_crops_are_those_of_transpose():
    image = parity.fill.make_image(480, 640)
    matrices = DARK_TRANSPOSE.matrices(
        FIXTURE["syn_transpose_center"], FIXTURE["syn_transpose_scale"] * 200, input_size=SIZE
    )
    difference = crop.warp(image, matrices, input_size=SIZE)[0].astype(int) - FIXTURE["syn_transpose_crop0"]
    assert np.abs(difference).mean() < 0.3  # releases of OpenCV differ by a few grey levels


def test_points_are_those_of_transpose():
    heatmaps = FIXTURE["heatmaps"]
    points, scores = DARK_TRANSPOSE.decode(heatmaps)
    matrices = DARK_TRANSPOSE.matrices(
        FIXTURE["decode_tp_center"].astype(float),
        FIXTURE["decode_tp_scale"].astype(float) * 200,
        input_size=heatmaps.shape[2:],
    )
    found = scores > 0
    placed = crop.transform(points, crop.invert(matrices))
    np.testing.assert_allclose(placed[found], FIXTURE["dec_transpose"][found], atol=5e-4)
    np.testing.assert_allclose(scores[found], FIXTURE["dec_transpose_score"][..., 0][found], rtol=1e-6)
    assert found.sum() == 50  # a map that is negative everywhere is missing here and at (0, 0) in the original
    assert np.isnan(points[~found]).all()


def test_local_smoothing_equals_that_of_the_whole_map():
    rng = np.random.default_rng(0)
    maps = heatmap.encode(rng.uniform(0, [47, 63], (6, 17, 2)), size=(64, 48), sigma=2.0)
    maps += rng.uniform(0, 0.05, maps.shape).astype(np.float32)
    np.testing.assert_allclose(heatmap.decode_dark(maps)[0], whole_map_decode(maps), atol=1e-5)


def test_maps_that_sink_to_the_floor_equal_those_of_the_whole_map():
    rng = np.random.default_rng(1)
    maps = heatmap.encode(rng.uniform(6, [41, 57], (4, 17, 2)), size=(64, 48), sigma=0.8) - np.float32(0.12)
    np.testing.assert_allclose(heatmap.decode_dark(maps)[0], whole_map_decode(maps), atol=1e-5)


@pytest.mark.parametrize("place", [(0, 0), (47, 63), (1, 30), (2, 2), (45, 61), (46, 30)])
def test_peaks_at_the_border_equal_those_of_the_whole_map(place):
    maps = heatmap.encode(np.array([[place]], dtype=float), size=(64, 48), sigma=2.0)
    np.testing.assert_allclose(heatmap.decode_dark(maps)[0], whole_map_decode(maps), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_drawing_and_decoding_bring_points_of_the_image_back(family):
    processing = FAMILIES[family]
    centers, sizes = processing.regions(np.array([[50.0, 80, 200, 400], [-20, 10, 300, 150]]), SIZE)
    matrices = processing.matrices(centers, sizes, input_size=(64, 48))
    rng = np.random.default_rng(2)
    points = crop.transform(rng.uniform(8, [39, 55], (2, 17, 2)), crop.invert(matrices))
    heatmaps = heatmap.encode(crop.transform(points, matrices), size=(64, 48), sigma=2.0)
    back = crop.transform(processing.decode(heatmaps)[0], crop.invert(matrices))
    np.testing.assert_allclose(back, points, atol=0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_one_takes_the_same_path(family):
    processing = FAMILIES[family]
    centers, sizes = processing.regions(np.zeros((0, 4)), SIZE)
    assert processing.matrices(centers, sizes, input_size=SIZE).shape == (0, 2, 3)
    points, scores = processing.decode(np.zeros((0, 17, 64, 48), np.float32))
    assert points.shape == (0, 17, 2)
    assert scores.shape == (0, 17)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_box_without_area_still_gives_an_invertible_map(family):
    processing = FAMILIES[family]
    centers, sizes = processing.regions(np.array([[10.0, 10, 10, 10]]), SIZE)
    assert np.isfinite(crop.invert(processing.matrices(centers, sizes, input_size=SIZE))).all()


def test_the_crop_is_the_box_times_the_padding_in_the_aspect_of_the_input():
    box = np.array([[100.0, 50, 160, 250]])
    for processing in (UDP, UDP_SHRUNK):
        centers, sizes = processing.regions(box, (256, 192))
        np.testing.assert_allclose(centers, [[130, 150]])
        np.testing.assert_allclose(sizes, [[150 * processing.padding, 200 * processing.padding]])


@pytest.mark.parametrize("name", sorted(ZOO))
def test_every_network_names_its_conventions(name):
    families = {"transpose": DARK_TRANSPOSE, "potr": POTR, "convvit": UDP_SHRUNK}
    expected = families.get(name.split("-")[0], UDP)
    with torch.device("meta"):
        assert ZOO[name].build().processing is expected


@pytest.mark.parametrize("detail", ["udp-scale", "udp-centre", "udp-decode"])
def test_a_convention_of_another_family_would_be_noticed(detail):
    centers, sizes = DARK_TRANSPOSE.regions(xyxy(META["boxes_bus"]), SIZE)
    if detail == "udp-scale":
        difference = UDP.matrices(centers, sizes, input_size=SIZE) - FIXTURE["bus_transpose_matrix"]
    elif detail == "udp-centre":
        centers, _ = UDP.regions(xyxy(META["boxes_bus"]), SIZE)
        difference = centers - FIXTURE["bus_transpose_center"]
    else:
        difference = np.nan_to_num(UDP.decode(FIXTURE["heatmaps"])[0] - DARK_TRANSPOSE.decode(FIXTURE["heatmaps"])[0])
    assert np.abs(difference).max() > 1e-2
