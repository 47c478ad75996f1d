"""Crops on a torch device: the people of a frame are sampled there, in one batch, and normalised.

The crops are those of `crop.warp`, or of `shrink.warp`, and `crop.normalize`. Positions and values are not rounded, so
that they differ from the processor's by less than a grey level on average.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from . import crop, shrink


def sample_crops(
    image: Tensor, matrices: NDArray[np.floating], out: Tensor, *, factors: Tensor, shifts: Tensor, shrinks: bool
) -> None:
    """Cut normalised crops out of an image.

    Args:
        image: (H, W, 3) BGR uint8.
        matrices: (N, 2, 3) from the image to the crops; N is 1 or more.
        out: (N, 3, height, width) float32 RGB on the image's device, to be filled.
        factors: (3, 1, 1) scale of red, green and blue in 0..255, on that device.
        shifts: (3, 1, 1) what is added to each after that.
        shrinks: read each crop from an image halved to its resolution, as `shrink.warp` does.
    """
    height, width = image.shape[:2]
    most = min(height, width).bit_length() - 1  # halvings that leave a pixel
    halvings = np.array([shrink.halvings(matrix) if shrinks else 0 for matrix in matrices])
    halvings[halvings > most] = 0
    pixels = image.permute(2, 0, 1)[None].float()  # (1, 3, H, W)
    for times in range(halvings.max() + 1):
        if times:
            pixels = F.avg_pool2d(pixels, 2)
        rows = np.flatnonzero(halvings == times)
        if len(rows) == 0:
            continue
        bgr = _sample(pixels, _to_grid(matrices[rows], pixels, 2**times), (out.shape[2], out.shape[3]))
        crops = torch.addcmul(shifts, bgr.flip(1), factors)
        if len(rows) == len(out):
            out.copy_(crops)
        else:
            out[torch.from_numpy(rows)] = crops


def _to_grid(matrices: NDArray[np.floating], pixels: Tensor, step: int) -> Tensor:
    """Return the affine maps (n, 2, 3) from crop pixels to those of `grid_sample`, -1 to 1 between the borders.

    Args:
        matrices: (n, 2, 3) from the image to the crops.
        pixels: (1, 3, h, w), the image, whose pixels are `step` image pixels wide.
        step: image pixels.
    """
    maps = 2 * crop.invert(matrices)  # pixel p has its centre at (2 p + 1) / length - 1
    maps[:, :, 2] += 1
    maps /= step * np.array([[pixels.shape[3]], [pixels.shape[2]]])
    maps[:, :, 2] -= 1
    return torch.from_numpy(maps.astype(np.float32)).to(pixels.device)


def _sample(pixels: Tensor, maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return crops (n, 3, height, width) of an image (1, 3, h, w); outside it, they are black."""
    height, width = size
    x = torch.arange(width, device=pixels.device)[:, None]
    y = torch.arange(height, device=pixels.device)[:, None, None]
    # Not `affine_grid`: its matrix product may round to TF32, which moves points by a pixel.
    across, down, origin = maps[:, None, None].unbind(-1)  # (n, 1, 1, 2) each
    grid = across * x + (down * y + origin)  # (n, height, width, 2)
    # All crops below each other, as one: a batch of them would need a copy of the image for each.
    crops = F.grid_sample(pixels, grid.reshape(1, -1, width, 2), align_corners=False)  # (1, 3, n height, width)
    return crops.reshape(3, -1, height, width).transpose(0, 1)
