"""Crops sampled by torch are those of OpenCV. The device is the processor; the same code runs on a GPU."""

import numpy as np
import pytest
import torch

from posetrack.models.geometry import crop, shrink
from posetrack.models.geometry.sampling import sample_crops
from posetrack.tracker.video.images.image import read_image
from posetrack.tracker.video.sample import PHOTOS

SIZE = (256, 192)
WARPS = {False: crop.warp, True: shrink.warp}


def sampled(image, matrices, *, shrinks):
    """Return crops (N, height, width, 3) BGR in grey levels, not normalised."""
    out = torch.full((len(matrices), 3, *SIZE), torch.nan)
    factors, shifts = torch.tensor([0.5, 1.0, 2.0]).reshape(3, 1, 1), torch.tensor([0.0, 3.0, -4.0]).reshape(3, 1, 1)
    sample_crops(torch.from_numpy(image), matrices, out, factors=factors, shifts=shifts, shrinks=shrinks)
    levels = (out.numpy() - shifts.numpy()) / factors.numpy()
    return levels[:, ::-1].transpose(0, 2, 3, 1)


@pytest.mark.parametrize("photo", ["bus.jpg", "zidane.jpg"])
@pytest.mark.parametrize("shrinks", WARPS)
def test_crops_of_photographs_are_within_a_grey_level_of_the_processors(photo, shrinks):
    image = read_image(PHOTOS / photo)
    height, width = image.shape[:2]
    rng = np.random.default_rng(0)
    centers = rng.uniform(-0.1, 1.1, (30, 2)) * (width, height)
    heights = np.geomspace(0.05, 3, 30) * height  # enlarged 10 times to shrunk 10 times, partly outside
    matrices = crop.crop_matrices(
        centers, heights[:, None] * (0.75, 1), input_size=SIZE, rotations=rng.uniform(-3, 3, 30)
    )
    matrices[::3] = crop.crop_matrices(centers[::3], heights[::3, None] * (0.75, 1), input_size=SIZE)
    ours, theirs = sampled(image, matrices, shrinks=shrinks), WARPS[shrinks](image, matrices, input_size=SIZE)
    differences = np.abs(ours - theirs)
    assert differences.mean((1, 2, 3)).max() < 1
    assert np.ptp(theirs) == 255


@pytest.mark.parametrize("shrinks", WARPS)
def test_a_crop_next_to_the_image_is_black(shrinks):
    image = np.full((40, 60, 3), 255, np.uint8)
    matrices = crop.crop_matrices(np.array([[500.0, 20], [30, -400]]), np.array([[60.0, 80]] * 2), input_size=SIZE)
    np.testing.assert_allclose(sampled(image, matrices, shrinks=shrinks), 0, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (7, 5), (33, 1)])
@pytest.mark.parametrize("shrinks", WARPS)
def test_the_smallest_images_are_cut_as_the_processor_cuts_them(shape, shrinks):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    centers = np.array([[shape[1] / 2, shape[0] / 2]] * 3)
    matrices = crop.crop_matrices(centers, np.array([[3.0, 4], [30, 40], [3000, 4000]]), input_size=SIZE)
    differences = np.abs(sampled(image, matrices, shrinks=shrinks) - WARPS[shrinks](image, matrices, input_size=SIZE))
    assert differences.mean((1, 2, 3)).max() < 1.5  # noise that is enlarged 64 times: OpenCV rounds places to 1/32


def test_an_image_in_every_row_order_and_people_of_every_size_keep_their_order():
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, :200, 0], image[:, 200:, 2] = 200, 100  # blue at the left, red at the right
    centers, heights = np.array([[100.0, 200], [300, 200], [100, 200], [300, 200]]), np.array([60.0, 90, 300, 80])
    matrices = crop.crop_matrices(centers, heights[:, None] * (0.5, 1), input_size=SIZE)
    middle = sampled(image, matrices, shrinks=True)[:, 128, 96]
    np.testing.assert_allclose(middle, [[200, 0, 0], [0, 0, 100]] * 2, atol=1e-3)
