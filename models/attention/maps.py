"""Dependency maps: which image regions a keypoint's location depends on, from the network's self-attention.

Computed like TransPose's (Yang et al. 2021, section 4.4), from the attention between all pairs of tokens, averaged over
heads. For the token at the predicted keypoint, the row gives the tokens that its location depends on, and the column
the tokens that it affects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import ModelError
from ..geometry import crop
from ..geometry.keypoints import COCO, Skeleton
from ..networks.transpose import TransPose
from ..networks.vit import Attention
from .figure import Row, draw_figure

THRESHOLDS = {8: 0.01, 4: 0.00075}  # the authors' values for TransPose-R and -H, by the stride of their tokens


def self_attention(model: nn.Module, images: Tensor) -> tuple[Tensor, list[Tensor], tuple[int, int]]:
    """Run a network and return its self-attention.

    Args:
        model: a TransPose, or a network with blocks of `vit`.
        images: crops (B, 3, H, W).

    Returns:
        Heat maps (B, K, h, w); every layer's attention (B, L, L) averaged over heads, rows being queries; and the
        (height, width) of the token grid, whose product is L.

    Raises:
        ModelError: the network has no attention between image tokens, or outputs no heat maps.
    """
    if isinstance(model, TransPose):
        return *model.forward_with_attention(images), model.grid
    attentions: list[Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: attentions.append(layer.weights(*inputs)))
        for layer in model.modules()
        if isinstance(layer, Attention)
    ]
    try:
        heatmaps = model(images)
    finally:
        for hook in hooks:
            hook.remove()
    tokens = attentions[0].shape[1] if attentions else 0
    rows = max(round((tokens * images.shape[2] / images.shape[3]) ** 0.5), 1)
    if tokens == 0 or tokens % rows or not isinstance(heatmaps, Tensor):
        raise ModelError(
            f"{type(model).__name__} has no attention between image tokens that leads to heat maps. "
            "Use a TransPose, a ViTPose or the bundled network."
        )
    return heatmaps, attentions, (rows, tokens // rows)


def dependency(
    attention: Tensor, query: ArrayLike, *, grid: tuple[int, int], stride: int, threshold: float = 0.0
) -> Tensor:
    """Return how much the query's location depends on each pixel of the crop, (H, W).

    Args:
        attention: (L, L) of one layer, rows being queries.
        query: (x, y) in pixels of the crop.
        grid: (height, width) in tokens.
        stride: pixels of the crop per token.
        threshold: values up to this become 0.
    """
    return _enlarge(attention[_token(query, grid, stride)].view(grid), stride, threshold)


def affect(
    attention: Tensor, query: ArrayLike, *, grid: tuple[int, int], stride: int, threshold: float = 0.0
) -> Tensor:
    """Return how much the query's location affects each pixel of the crop, (H, W); arguments as in `dependency`."""
    return _enlarge(attention[:, _token(query, grid, stride)].reshape(grid), stride, threshold)


def _token(query: ArrayLike, grid: tuple[int, int], stride: int) -> int:
    x, y = (int(value / stride) for value in np.asarray(query, dtype=np.float64))
    return min(max(y, 0), grid[0] - 1) * grid[1] + min(max(x, 0), grid[1] - 1)


def _enlarge(weights: Tensor, stride: int, threshold: float) -> Tensor:
    enlarged = F.interpolate(weights[None, None], scale_factor=stride, mode="bilinear", align_corners=False)[0, 0]
    return enlarged.where(enlarged > threshold, 0)


@torch.inference_mode()
def attention_figure(
    image: NDArray[Any],
    model: nn.Module,
    *,
    box: ArrayLike,
    keypoint: str = "nose",
    skeleton: Skeleton = COCO,
    name: str = "",
) -> NDArray[Any]:
    """Draw what a keypoint's location depends on and what it affects, layer by layer.

    Args:
        image: (H, W, 3) BGR.
        model: network from crops to heat maps, on any device.
        box: (4,) xyxy pixels of the person.
        keypoint: its name in the skeleton.
        skeleton: of the network.
        name: of the network, for the title.

    Returns:
        The figure, BGR.

    Raises:
        ModelError: the network has no such attention, or finds no keypoint in this box.
    """
    network: Any = model  # nn.Module declares neither `processing` nor `input_size`
    processing, size, row = network.processing, network.input_size, skeleton.keypoints.index(keypoint)
    centers, sizes = processing.regions(np.asarray(box, dtype=np.float64).reshape(1, 4), size)
    matrices = processing.matrices(centers, sizes, input_size=size)
    crops = processing.warp(image, matrices, input_size=size)
    images = torch.from_numpy(crop.normalize(crops)).to(next(model.parameters()).device)
    heatmaps, attentions, grid = self_attention(model, images)

    maps = heatmaps.float().cpu().numpy()
    points, scores = processing.decode(maps)
    back = crop.invert(processing.matrices(centers, sizes, input_size=maps.shape[2:]))
    query = crop.transform(crop.transform(points, back), matrices)[0, row]
    label = keypoint.replace("_", " ")
    if np.isnan(query).any():
        raise ModelError(f"The network finds no {label} in this box. Choose another --keypoint or --box.")
    query = np.clip(query, 0, [size[1] - 1, size[0] - 1])

    stride = size[0] // grid[0]
    threshold = THRESHOLDS[stride] if isinstance(model, TransPose) else 0.0
    options: dict[str, Any] = {"grid": grid, "stride": stride, "threshold": threshold}
    rows = [
        Row(
            label=f"layer {i}",
            depends=dependency(attention[0].float().cpu(), query, **options).numpy(),
            affects=affect(attention[0].float().cpu(), query, **options).numpy(),
        )
        for i, attention in enumerate(attentions, start=1)
    ]
    note = f", weights up to {threshold:g} left out" if threshold else ""
    return draw_figure(
        crops[0],
        rows,
        query=query,
        heatmap=maps[0, row],
        title=f"Attention at the {label}",
        subtitle=f"{name or type(model).__name__}, {grid[0]} x {grid[1]} tokens, mean over heads{note}",
        caption=f"{label}, score {scores[0, row]:.2f}",
    )
