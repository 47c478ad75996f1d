"""Training objectives of the network families, by the name in a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..networks.convvit import SIGMA
from . import targets
from .losses import distribution_cross_entropy, heatmap_mse, location_cross_entropy
from .set_loss import set_loss
from .targets import heatmap_targets, to_heatmap

Mean = Callable[[Tensor], Tensor]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Objective:
    """The loss of a network family.

    Attributes:
        forward: `(network, images (B, 3, H, W)) -> output`.
        loss: `(output, keypoints (B, K, 2) in crop pixels, weights (B, K), size (H, W) of the crop, mean) -> scalar`;
            `mean` averages a number over all processes of the training.
        distillation: `(output, heat maps (B, K, h, w) of a teacher) -> scalar`; None if not supported.
    """

    forward: Callable[[Any, Tensor], Any]
    loss: Callable[[Any, Tensor, Tensor, Size, Mean], Tensor]
    distillation: Callable[[Tensor, Tensor], Tensor] | None = None


def vitpose(heatmaps: Tensor, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return the squared error of heat maps with UDP targets, truncated at 3 sigma."""
    size = _size(heatmaps)
    points = to_heatmap(keypoints, input_size=crop, size=size)
    maps, weights = heatmap_targets(points, weights, size=size, truncate=True)
    return heatmap_mse(heatmaps, maps, weights)


def transpose(heatmaps: Tensor, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return half the squared error of heat maps with untruncated Gaussians."""
    size = _size(heatmaps)
    points = to_heatmap(keypoints, input_size=crop, size=size, isotropic=True)
    maps, weights = heatmap_targets(points, weights, size=size, truncate=False)
    return heatmap_mse(heatmaps, maps, weights, factor=0.5)


def potr(outputs: Any, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return the set-prediction loss, summed over all decoder layers."""
    height, width = crop
    known = weights > 0
    count = mean(known.sum().float())  # so that keypoints on all processes have equal weight
    return set_loss(outputs, keypoints / keypoints.new_tensor([width, height]), known, count=count)


def location(logits: Tensor, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return the cross-entropy over the pixels of a heat map; for the bundled network."""
    points = to_heatmap(keypoints, input_size=crop, size=_size(logits))
    return location_cross_entropy(logits, points, weights, sigma=SIGMA)


def distil_heatmaps(heatmaps: Tensor, maps: Tensor) -> Tensor:
    """Return the mean squared difference from the teacher's heat maps, over all keypoints (ViTPose, equation 4)."""
    return heatmap_mse(heatmaps, maps, maps.new_ones(maps.shape[:2]))


def distil_logits(logits: Tensor, maps: Tensor) -> Tensor:
    """Return the cross-entropy to the teacher's heat maps, each weighted by its peak."""
    maps = maps.clamp(min=0)
    # The power converts Gaussians of the teacher's sigma to this network's sigma.
    return distribution_cross_entropy(logits, maps ** ((targets.SIGMA / SIGMA) ** 2), maps.amax((2, 3)))


def _call(network: Any, images: Tensor) -> Any:
    return network(images)


def _logits(network: Any, images: Tensor) -> Tensor:
    return network.logits(images)


OBJECTIVES = {
    "vitpose": Objective(_call, vitpose, distil_heatmaps),
    "transpose": Objective(_call, transpose, distil_heatmaps),
    "potr": Objective(_call, potr),
    "places": Objective(_logits, location, distil_logits),
}


def _size(planes: Tensor) -> Size:
    return planes.shape[2], planes.shape[3]
