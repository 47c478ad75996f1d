"""The Gaussians are those that the originals draw."""

import numpy as np
import parity
import pytest
import torch

from posetrack.models.geometry import crop
from posetrack.models.training.targets import heatmap_targets, to_heatmap

INPUT, SIZE = (256, 192), (64, 48)


@pytest.fixture(scope="module")
def arrays():
    with np.load(parity.FOLDER / "prepost.npz") as file:
        return {key: torch.from_numpy(file[key]) for key in file.files if key.startswith("enc_")}


def test_udp_targets_are_the_originals(arrays):
    points = to_heatmap(arrays["enc_joints_input_frame"][None, :, :2], input_size=INPUT, size=SIZE)
    maps, weights = heatmap_targets(points, arrays["enc_vis"][None, :, 0], size=SIZE, truncate=True)
    torch.testing.assert_close(maps[0], arrays["enc_udp_target"], atol=2e-6, rtol=0)
    torch.testing.assert_close(weights[0], arrays["enc_udp_weight"][:, 0])


def test_transpose_targets_are_the_originals(arrays):
    points, known = arrays["enc_tp_joints_heatmap_frame"][None, :, :2], arrays["enc_vis"][None, :, 0]
    maps, weights = heatmap_targets(points, known, size=SIZE, truncate=False)
    torch.testing.assert_close(maps[0], arrays["enc_tp_target"], atol=2e-6, rtol=0)
    torch.testing.assert_close(weights[0], arrays["enc_tp_weight"][:, 0])


@pytest.mark.parametrize(
    ("point", "udp", "transpose"),
    [  # by hand, with the originals' int(): ViTPose rounds the point first
        ((-9.0, 3.0), 0, 0),
        ((-8.0, 3.0), 1, 0),
        ((-7.4, 3.0), 1, 1),
        ((53.4, 3.0), 1, 1),
        ((53.6, 3.0), 0, 1),
        ((54.0, 3.0), 0, 0),
        ((3.0, 69.4), 1, 1),
        ((3.0, 70.0), 0, 0),
    ],
)
def test_a_keypoint_far_outside_loses_its_weight(point, udp, transpose):
    for truncate, expected in ((True, udp), (False, transpose)):
        maps, weights = heatmap_targets(torch.tensor([[point]]), torch.ones(1, 1), size=SIZE, truncate=truncate)
        assert weights.item() == expected
        assert maps.max() < 0.02
        assert expected or maps.sum() == 0


@pytest.mark.parametrize(
    ("matrices", "isotropic"), [(crop.crop_matrices, False), (crop.transpose_matrices, True)], ids=["udp", "transpose"]
)
def test_points_go_to_the_heat_map_as_the_affine_of_the_crop_says(matrices, isotropic):
    rng = np.random.default_rng(0)
    in_image = rng.uniform(0, 400, (3, 17, 2))
    centers, widths = rng.uniform(100, 300, (3, 2)), rng.uniform(80, 300, 3)
    sizes, turns = np.stack([widths, widths / 0.75], 1), rng.uniform(-1, 1, 3)
    if not isotropic:
        turns = None  # UDP turns in the frame of its target, whose axes have slightly different scales
    in_crop = crop.transform(in_image, matrices(centers, sizes, input_size=INPUT, rotations=turns))
    in_map = crop.transform(in_image, matrices(centers, sizes, input_size=SIZE, rotations=turns))
    moved = to_heatmap(torch.from_numpy(in_crop), input_size=INPUT, size=SIZE, isotropic=isotropic)
    np.testing.assert_allclose(moved.numpy(), in_map, atol=1e-9)


def test_a_batch_equals_its_samples():
    points = torch.rand(4, 17, 2) * 60 - 6
    weights = (torch.rand(4, 17) > 0.3).float()
    whole = heatmap_targets(points, weights, size=SIZE, truncate=True)
    for i in range(4):
        single = heatmap_targets(points[i : i + 1], weights[i : i + 1], size=SIZE, truncate=True)
        torch.testing.assert_close(whole[0][i], single[0][0])
        torch.testing.assert_close(whole[1][i], single[1][0])
