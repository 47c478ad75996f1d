import cv2
import numpy as np
import parity
import pytest

from posetrack.models.geometry import crop, heatmap

FIXTURE = np.load(parity.FOLDER / "prepost.npz")


def whole_map_decode(heatmaps):
    """DARK with the whole map smoothed by OpenCV: what the local form must equal."""
    n, k, _, w = heatmaps.shape
    points = np.zeros((n, k, 2))
    for i in range(n):
        for j in range(k):
            y, x = np.divmod(heatmaps[i, j].argmax(), w)
            smooth = cv2.GaussianBlur(heatmaps[i, j].astype(np.float64), (11, 11), 0)
            log = np.pad(np.log(np.clip(smooth, 0.001, 50)), 1, mode="edge")
            points[i, j] = (x, y) - heatmap._newton_step(log[None, y : y + 3, x : x + 3])[0]
    return points


def test_points_are_those_of_vitpose():
    points, scores = heatmap.decode(FIXTURE["heatmaps"])
    back = crop.invert(
        crop.crop_matrices(
            FIXTURE["decode_center"].astype(float), FIXTURE["decode_scale"].astype(float) * 200, input_size=(64, 48)
        )
    )
    expected = FIXTURE["dec_mm_udp"]
    found = scores > 0
    np.testing.assert_allclose(crop.transform(points, back)[found], expected[found], atol=5e-4)
    np.testing.assert_allclose(scores[found], FIXTURE["dec_mm_udp_score"][..., 0][found], rtol=1e-6)
    assert found.sum() == 50  # the fixture's last map of 51 is negative everywhere


def test_local_smoothing_equals_that_of_the_whole_map():
    rng = np.random.default_rng(0)
    maps = heatmap.encode(rng.uniform(0, [47, 63], (6, 17, 2)), size=(64, 48), sigma=2.0)
    maps += rng.uniform(0, 0.05, maps.shape).astype(np.float32)
    points, _ = heatmap.decode(maps)
    np.testing.assert_allclose(points, whole_map_decode(maps), atol=1e-5)


@pytest.mark.parametrize("place", [(0, 0), (47, 63), (0, 63), (1, 62)])
def test_peaks_at_the_border_equal_those_of_the_whole_map(place):
    maps = heatmap.encode(np.array([[place]], dtype=float), size=(64, 48), sigma=2.0)
    points, _ = heatmap.decode(maps)
    np.testing.assert_allclose(points, whole_map_decode(maps), atol=1e-5)


def test_decode_brings_back_what_encode_drew():
    rng = np.random.default_rng(1)
    places = rng.uniform(8, [39, 55], (3, 17, 2))
    points, scores = heatmap.decode(heatmap.encode(places, size=(64, 48), sigma=2.0))
    np.testing.assert_allclose(points, places, atol=1e-3)
    assert scores.min() > 0.8


def test_a_map_without_a_peak_is_a_missing_keypoint():
    points, scores = heatmap.decode(np.zeros((1, 2, 8, 6), np.float32))
    assert np.isnan(points).all()
    assert (scores == 0).all()


def test_no_one_takes_the_same_path():
    points, scores = heatmap.decode(np.zeros((0, 17, 64, 48), np.float32))
    assert points.shape == (0, 17, 2)
    assert scores.shape == (0, 17)
