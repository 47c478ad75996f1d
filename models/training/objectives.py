"""What each family learns from a batch of crops: the one list of losses that a recipe chooses from.

Each is a function `(network, images (B, 3, H, W), keypoints (B, K, 2) in crop pixels, weights (B, K), mean) -> scalar`;
`mean` averages a number over all processes of the training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..convvit import SIGMA
from .losses import heatmap_mse, place_cross_entropy
from .set_loss import set_loss
from .targets import heatmap_targets, to_heatmap

Mean = Callable[[Tensor], Tensor]


def vitpose(network: Any, images: Tensor, keypoints: Tensor, weights: Tensor, mean: Mean) -> Tensor:
    """Return the squared error of heat maps with UDP targets, cut off at 3 sigma."""
    heatmaps = network(images)
    size = _size(heatmaps)
    points = to_heatmap(keypoints, input_size=_size(images), size=size)
    targets, weights = heatmap_targets(points, weights, size=size, truncate=True)
    return heatmap_mse(heatmaps, targets, weights)


def transpose(network: Any, images: Tensor, keypoints: Tensor, weights: Tensor, mean: Mean) -> Tensor:
    """Return half the squared error of heat maps with whole Gaussians."""
    heatmaps = network(images)
    size = _size(heatmaps)
    points = to_heatmap(keypoints, input_size=_size(images), size=size, isotropic=True)
    targets, weights = heatmap_targets(points, weights, size=size, truncate=False)
    return heatmap_mse(heatmaps, targets, weights, factor=0.5)


def potr(network: Any, images: Tensor, keypoints: Tensor, weights: Tensor, mean: Mean) -> Tensor:
    """Return the loss of the set, summed over all decoder layers."""
    height, width = images.shape[2:]
    known = weights > 0
    count = mean(known.sum().float())  # so that each keypoint counts alike, on whatever process it is
    return set_loss(network(images), keypoints / keypoints.new_tensor([width, height]), known, count=count)


def places(network: Any, images: Tensor, keypoints: Tensor, weights: Tensor, mean: Mean) -> Tensor:
    """Return the cross-entropy over the places of a heat map; for the bundled network."""
    logits = network.logits(images)
    points = to_heatmap(keypoints, input_size=_size(images), size=_size(logits))
    return place_cross_entropy(logits, points, weights, sigma=SIGMA)


LOSSES: dict[str, Callable[[Any, Tensor, Tensor, Tensor, Mean], Tensor]] = {
    "vitpose": vitpose,
    "transpose": transpose,
    "potr": potr,
    "places": places,
}


def _size(planes: Tensor) -> tuple[int, int]:
    return planes.shape[2], planes.shape[3]
