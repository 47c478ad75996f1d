"""Every convention of cutting and decoding against the arrays that the original implementations made."""

import json

import cv2
import numpy as np
import parity
import pytest
from scipy.ndimage import gaussian_filter

from posetrack.models.geometry import crop, heatmap
from posetrack.models.geometry.keypoints import COCO, oks
from posetrack.models.geometry.processing import DARK, DARK_TRANSPOSE, POTR, QUARTER_SHIFT, UDP, by_heatmaps
from posetrack.tracker.video.sample import PHOTOS

FIXTURE = np.load(parity.FOLDER / "prepost.npz")
META = json.loads((parity.FOLDER / "prepost.json").read_text())
HEATMAPS = FIXTURE["heatmaps"]
PROCESSINGS = {
    "vitpose_udp": UDP,
    "vitpose_nonudp": QUARTER_SHIFT,
    "hf": UDP,
    "transpose": DARK_TRANSPOSE,
    "potr": POTR,
    "potr_288x384": POTR,
}


@pytest.fixture(scope="module")
def images():
    """RGB images of the fixtures by name."""
    bus = cv2.imread(str(PHOTOS / "bus.jpg"))[..., ::-1]
    return {"bus": np.ascontiguousarray(bus), "syn": parity.fill.make_image(480, 640)}


def size_of(convention):
    return (384, 288) if convention.endswith("288x384") else (256, 192)


@pytest.mark.parametrize("image", ["bus", "syn"])
@pytest.mark.parametrize("convention", PROCESSINGS)
def test_crops_are_those_of_the_original(convention, image, images):
    processing, size = PROCESSINGS[convention], size_of(convention)
    boxes = np.array(META[f"boxes_{image}"])
    centers, sizes = processing.regions(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1), size)
    np.testing.assert_allclose(centers, FIXTURE[f"{image}_{convention}_center"], atol=1e-4)
    np.testing.assert_allclose(sizes / 200, FIXTURE[f"{image}_{convention}_scale"], atol=1e-5)
    regions = FIXTURE[f"{image}_{convention}_center"], FIXTURE[f"{image}_{convention}_scale"] * 200
    matrices = processing.matrices(*regions, input_size=size)
    np.testing.assert_allclose(matrices, FIXTURE[f"{image}_{convention}_matrix"], rtol=1e-5, atol=1e-5)
    crops = crop.warp(images[image], matrices, input_size=size).astype(int)
    sums = np.array(META[f"{image}_{convention}_crop_sums"])
    # Releases of OpenCV differ; transformers cuts with scipy, which drops a pixel at the border of the image.
    tolerance = 0.6 if convention == "hf" else 0.3
    assert (np.abs(crops.sum((1, 2, 3)) - sums) / crops[0].size).max() < tolerance
    if f"{image}_{convention}_crops_sub" in FIXTURE:
        difference = np.abs(crops[:, ::4, ::4] - FIXTURE[f"{image}_{convention}_crops_sub"])
        assert difference.mean() < tolerance
    if f"{image}_{convention}_crop0" in FIXTURE:
        assert np.abs(crops[0] - FIXTURE[f"{image}_{convention}_crop0"]).mean() < 0.3


@pytest.mark.parametrize("image", ["bus", "syn"])
def test_pixel_values_are_those_of_transformers(image):
    crops = FIXTURE[f"{image}_hf_crops_sub"][:, ::2, ::2, ::-1]  # normalize() takes BGR
    np.testing.assert_allclose(crop.normalize(crops), FIXTURE[f"{image}_hf_pixel_values_sub"], atol=1e-5)


DECODED = {  # array: processing, and the rows of the regions
    "dec_mm_udp": (UDP, "decode"),
    "dec_mm_default": (QUARTER_SHIFT, "decode"),
    "dec_mm_dark": (DARK, "decode"),
    "dec_transpose": (DARK_TRANSPOSE, "decode_tp"),
}


def place(points, processing, region):
    regions = FIXTURE[f"{region}_center"].astype(float), FIXTURE[f"{region}_scale"].astype(float) * 200
    return crop.transform(points, crop.invert(processing.matrices(*regions, input_size=HEATMAPS.shape[2:])))


@pytest.mark.parametrize("array", DECODED)
def test_points_are_those_of_the_original(array):
    processing, region = DECODED[array]
    points, scores = processing.decode(HEATMAPS)
    found = scores > 0
    assert found.sum() == 50  # of 51: the last map is negative everywhere, a missing keypoint here
    assert np.isnan(points[~found]).all()
    np.testing.assert_allclose(place(points, processing, region)[found], FIXTURE[array][found], atol=5e-4)
    np.testing.assert_allclose(scores[found], FIXTURE[f"{array}_score"][..., 0][found], rtol=1e-6)


def test_peaks_are_those_of_the_original():
    _, x, y, scores = heatmap._peaks(HEATMAPS)
    points = np.stack([x, y], -1).reshape(3, 17, 2)
    found = scores.reshape(3, 17) > 0
    np.testing.assert_array_equal(points[found], FIXTURE["dec_argmax_hm_frame"][found])
    placed = place(points.astype(float), QUARTER_SHIFT, "decode")
    np.testing.assert_allclose(placed[found], FIXTURE["dec_mm_none"][found], atol=5e-4)
    np.testing.assert_allclose(scores, FIXTURE["dec_mm_none_score"].ravel(), rtol=1e-6)


def test_transformers_differs_in_the_width_of_its_smoothing_only():
    """Its processor smooths by 0.8 pixels where the authors of the weights do by 2 (see docs/decisions)."""
    maps = HEATMAPS.reshape(51, 64, 48)
    _, x, y, scores = heatmap._peaks(HEATMAPS)
    points = []
    for one, i, j in zip(maps, x, y, strict=True):
        smooth = gaussian_filter(one, 0.8, radius=5, axes=(0, 1))
        log = np.pad(np.log(np.clip(smooth, 0.001, 50)), 1, mode="edge").astype(float)
        points.append((i, j) - heatmap._newton_step(log[None, j : j + 3, i : i + 3])[0])
    found = scores.reshape(3, 17) > 0
    theirs = place(np.reshape(points, (3, 17, 2)), UDP, "decode")
    np.testing.assert_allclose(theirs[found], FIXTURE["dec_hf"][found], atol=5e-3)
    np.testing.assert_allclose(scores.reshape(3, 17)[found], FIXTURE["dec_hf_score"][..., 0][found], rtol=1e-6)
    ours = place(UDP.decode(HEATMAPS)[0], UDP, "decode")
    assert 0.1 < np.abs(ours - FIXTURE["dec_hf"])[found].mean() < 1  # pixels of the image; 0.81 here


def test_the_flip_test_is_that_of_the_original():
    merged = []
    answers = [HEATMAPS, FIXTURE["heatmaps_flipped_model_output"]]  # of the crops, then of the mirrored crops
    images = np.zeros((3, 3, 256, 192), np.float32)
    points, scores, size = by_heatmaps(
        lambda maps: merged.append(maps) or UDP.decode(maps), lambda images: answers.pop(0), images, COCO.flip_order
    )
    assert size == (64, 48)
    back = 2 * merged[0] - HEATMAPS
    np.testing.assert_allclose(merged[0][:, :, ::2, ::2], FIXTURE["flip_merge_noshift_sub"], atol=1e-6)
    np.testing.assert_allclose(back[:, :, ::2, ::2], FIXTURE["flip_back_sub"], atol=1e-6)
    assert np.abs(merged[0][:, :, ::2, ::2] - FIXTURE["flip_merge_shift_sub"]).max() > 0.05  # which is unused
    found = FIXTURE["dec_flip_mm_udp_score"][..., 0] > 0
    np.testing.assert_allclose(place(points, UDP, "decode")[found], FIXTURE["dec_flip_mm_udp"][found], atol=1e-3)
    np.testing.assert_allclose(scores[found], FIXTURE["dec_flip_mm_udp_score"][..., 0][found], rtol=1e-6)


@pytest.mark.parametrize(
    ("decode", "error"),
    [(heatmap.decode, 0.01), (heatmap.decode_dark, 0.01), (heatmap.decode_quarter, 0.3)],
    ids=["udp", "dark", "quarter"],
)
def test_decoding_brings_back_what_encode_drew(decode, error):
    places = np.random.default_rng(0).uniform(8, [39, 55], (4, 17, 2))
    points, _ = decode(heatmap.encode(places, size=(64, 48), sigma=2.0))
    assert np.abs(points - places).max() < error


def test_a_quarter_goes_to_the_higher_side_and_stays_at_the_border():
    maps = np.zeros((1, 4, 8, 6), np.float32)
    maps[0, 0, 4, 3], maps[0, 0, 4, 4], maps[0, 0, 3, 3] = 3, 2, 1  # right and up
    maps[0, 1, 4, 1] = maps[0, 2, 4, 5] = 1
    points, scores = heatmap.decode_quarter(maps)
    np.testing.assert_array_equal(points[0, :3], [[3.25, 3.75], [1, 4], [5, 4]])
    assert np.isnan(points[0, 3]).all()
    assert scores.tolist() == [[3, 1, 1, 0]]


def test_udp_maps_read_without_udp_are_off_by_a_large_part_of_a_pixel():
    points, scores = UDP.decode(HEATMAPS)
    found = scores > 0
    wrong = place(points, QUARTER_SHIFT, "decode")
    assert np.linalg.norm(wrong - FIXTURE["dec_mm_udp"], axis=-1)[found].mean() > 2  # pixels of the image


def test_similarities_are_those_of_the_original():
    keypoints, areas = FIXTURE["oks_kpts"][..., :2], FIXTURE["oks_areas"]
    means = (areas[:, None] + areas[None]) / 2  # mmpose takes the mean of both areas, COCO the first
    found = [
        [oks(a[None], b[None], means[i, j, None], sigmas=COCO.sigmas)[0, 0] for j, b in enumerate(keypoints)]
        for i, a in enumerate(keypoints)
    ]
    np.testing.assert_allclose(found, FIXTURE["oks_matrix_mm"], rtol=1e-4, atol=1e-7)
