"""Smaller images: nothing is left out, and nothing moves."""

import cv2
import numpy as np
import pytest

from posetrack.models.geometry import crop, shrink
from posetrack.models.geometry.processing import PROCESSINGS

SIZE = (64, 48)


def image(height=700, width=900):
    """Return grey with a soft spot at x = 430, y = 310."""
    y, x = np.mgrid[:height, :width]
    spot = 200 * np.exp(-((x - 430) ** 2 + (y - 310) ** 2) / (2 * 40**2))
    return np.repeat(spot[..., None], 3, axis=2).round().astype(np.uint8)


def middle(image):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    weights = image[..., 0].astype(float)
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("size", [(100, 77), (449, 350), (450, 349), (899, 699), (1, 1)])
def test_resizing_keeps_the_mean_and_the_place(size):
    small = shrink.resize(image(), size)
    assert small.shape == (*size[::-1], 3)
    assert small.mean() == pytest.approx(image().mean(), abs=0.6)
    if min(size) > 1:
        np.testing.assert_allclose((middle(small) + 0.5) / size, (middle(image()) + 0.5) / (900, 700), atol=1e-3)


@pytest.mark.parametrize("height", [70, 100, 201, 500, 1100])
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_crops_show_the_same_place_as_bilinear_ones(height, turn):
    center, size = np.array([[441.3, 305.6]]), np.array([[0.75 * height, height]])
    matrices = crop.crop_matrices(center, size, input_size=SIZE, rotations=np.array([turn]))
    own, bilinear = (warp(image(), matrices, input_size=SIZE)[0] for warp in (shrink.warp, crop.warp))
    np.testing.assert_allclose(own, bilinear, atol=10)
    np.testing.assert_allclose(middle(own), middle(bilinear), atol=0.05)


def test_crops_of_small_people_are_the_bilinear_ones():
    matrices = crop.crop_matrices(np.array([[430.0, 310]]), np.array([[60.0, 80]]), input_size=SIZE)
    noise = np.random.default_rng(0).integers(0, 255, (700, 900, 3), np.uint8)
    own, bilinear = (warp(noise, matrices, input_size=SIZE)[0].astype(int) for warp in (shrink.warp, crop.warp))
    np.testing.assert_allclose(own, bilinear, atol=1)  # rounding: it starts from a part of the image


def test_a_crop_does_not_depend_on_the_others():
    centers = np.random.default_rng(0).uniform([0, 0], [900, 700], (12, 2))
    sizes = np.linspace(60, 1000, 12)[:, None] * [0.75, 1]
    matrices = crop.crop_matrices(centers, sizes, input_size=SIZE)
    together = shrink.warp(image(), matrices, input_size=SIZE).astype(int)
    for own, matrix in zip(together, matrices):
        np.testing.assert_allclose(own, shrink.warp(image(), matrix[None], input_size=SIZE)[0], atol=1)


def test_fine_patterns_become_grey():
    lines = np.zeros((800, 800, 3), np.uint8)
    lines[::2] = 255
    matrices = crop.crop_matrices(np.array([[400.0, 400]]), np.array([[390.0, 520]]), input_size=SIZE)
    assert np.ptp(shrink.warp(lines, matrices, input_size=SIZE)) <= 2
    assert np.ptp(crop.warp(lines, matrices, input_size=SIZE)) > 50


@pytest.mark.parametrize("center", [(0.0, 0.0), (899.0, 699.0), (-5000.0, 90.0)])
def test_places_outside_of_the_image_are_black(center):
    matrices = crop.crop_matrices(np.array([center]), np.array([[300.0, 400]]), input_size=SIZE)
    white = np.full((700, 900, 3), 255, np.uint8)
    own, bilinear = (warp(white, matrices, input_size=SIZE)[0] for warp in (shrink.warp, crop.warp))
    assert (own[cv2.erode(bilinear, np.ones((3, 3))) == 255] == 255).all()
    assert (own[cv2.dilate(bilinear, np.ones((3, 3))) == 0] == 0).all()


def test_only_our_own_network_wants_them():
    assert [name for name, kind in PROCESSINGS.items() if kind.warp is shrink.warp] == ["udp_shrunk"]
