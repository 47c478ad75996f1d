"""What each family learns from a batch of crops: the one list of objectives that a recipe chooses from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..networks.convvit import SIGMA
from . import targets
from .losses import expected_place, heatmap_mse, place_cross_entropy
from .set_loss import set_loss
from .targets import heatmap_targets, to_heatmap

Mean = Callable[[Tensor], Tensor]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a network answers in training, and how wrong that is.

    Attributes:
        ask: `(network, images (B, 3, H, W)) -> answer`.
        truth: `(answer, keypoints (B, K, 2) in crop pixels, weights (B, K), size (H, W) of the crop, mean) -> scalar`;
            `mean` averages a number over all processes of the training.
        taught: `(answer, heat maps (B, K, h, w) of a teacher) -> scalar`; None where heat maps cannot teach.
    """

    ask: Callable[[Any, Tensor], Any]
    truth: Callable[[Any, Tensor, Tensor, Size, Mean], Tensor]
    taught: Callable[[Tensor, Tensor], Tensor] | None = None


def vitpose(heatmaps: Tensor, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return the squared error of heat maps with UDP targets, cut off at 3 sigma."""
    size = _size(heatmaps)
    points = to_heatmap(keypoints, input_size=crop, size=size)
    maps, weights = heatmap_targets(points, weights, size=size, truncate=True)
    return heatmap_mse(heatmaps, maps, weights)


def transpose(heatmaps: Tensor, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return half the squared error of heat maps with whole Gaussians."""
    size = _size(heatmaps)
    points = to_heatmap(keypoints, input_size=crop, size=size, isotropic=True)
    maps, weights = heatmap_targets(points, weights, size=size, truncate=False)
    return heatmap_mse(heatmaps, maps, weights, factor=0.5)


def potr(answer: Any, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return the loss of the set, summed over all decoder layers."""
    height, width = crop
    known = weights > 0
    count = mean(known.sum().float())  # so that each keypoint counts alike, on whatever process it is
    return set_loss(answer, keypoints / keypoints.new_tensor([width, height]), known, count=count)


def places(logits: Tensor, keypoints: Tensor, weights: Tensor, crop: Size, mean: Mean) -> Tensor:
    """Return the cross-entropy over the places of a heat map; for the bundled network."""
    points = to_heatmap(keypoints, input_size=crop, size=_size(logits))
    return place_cross_entropy(logits, points, weights, sigma=SIGMA)


def maps_taught(heatmaps: Tensor, maps: Tensor) -> Tensor:
    """Return the mean squared distance from the teacher's heat maps, of all keypoints (ViTPose, equation 4)."""
    return heatmap_mse(heatmaps, maps, maps.new_ones(maps.shape[:2]))


def places_taught(logits: Tensor, maps: Tensor) -> Tensor:
    """Return the cross-entropy to the teacher's heat maps, each as sure of its place as it is high."""
    maps = maps.clamp(min=0)
    # The power makes a Gaussian of the width that heat maps are trained with one of the width of these places.
    return expected_place(logits, maps ** ((targets.SIGMA / SIGMA) ** 2), maps.amax((2, 3)))


def _answer(network: Any, images: Tensor) -> Any:
    return network(images)


def _logits(network: Any, images: Tensor) -> Tensor:
    return network.logits(images)


OBJECTIVES = {
    "vitpose": Objective(_answer, vitpose, maps_taught),
    "transpose": Objective(_answer, transpose, maps_taught),
    "potr": Objective(_answer, potr),
    "places": Objective(_logits, places, places_taught),
}


def _size(planes: Tensor) -> Size:
    return planes.shape[2], planes.shape[3]
