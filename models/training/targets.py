"""Training targets of heat-map networks: a Gaussian at every keypoint, computed in batches on any device."""

from __future__ import annotations

import torch
from torch import Tensor

SIGMA = 2.0  # heat-map pixels, in every published recipe at 64x48


def to_heatmap(
    points: Tensor, *, input_size: tuple[int, int], size: tuple[int, int], isotropic: bool = False
) -> Tensor:
    """Convert points (B, K, 2) from crop pixels to heat-map pixels.

    Args:
        points: x before y.
        input_size: (height, width) of the crop.
        size: (height, width) of the heat map.
        isotropic: the scale of the width on both axes, about the centre (TransPose); otherwise the first and last
            pixels of both are aligned on each axis (ViTPose's UDP). At 256x192 the results differ by up to 0.13
            heat-map pixels.
    """
    old = points.new_tensor([input_size[1] - 1, input_size[0] - 1])
    new = points.new_tensor([size[1] - 1, size[0] - 1])
    scale = new[0] / old[0] if isotropic else new / old
    return (points - old / 2) * scale + new / 2


def heatmap_targets(
    points: Tensor, weights: Tensor, *, size: tuple[int, int], sigma: float = SIGMA, truncate: bool
) -> tuple[Tensor, Tensor]:
    """Draw one Gaussian per keypoint, centred at its sub-pixel position, with peak value 1.

    Args:
        points: (B, K, 2) heat-map pixels, x before y.
        weights: (B, K); a keypoint of weight 0 gets a map of zeros.
        size: (height, width) of the maps.
        sigma: in heat-map pixels.
        truncate: cut the Gaussian off 3 sigma from the pixel nearest to the keypoint, as in ViTPose's UDP targets
            (mmpose's `_udp_generate_target`) but not in TransPose's (`generate_target`).

    Returns:
        Maps (B, K, height, width), and the weights (B, K), set to 0 for keypoints farther than 3 sigma outside
        the map.
    """
    reach = 3 * sigma
    # The originals round with int(), towards zero, which makes a difference beyond the upper and left edges.
    pixels = (points + 0.5).trunc() if truncate else points  # (B, K, 2)
    low, high = (pixels - reach).trunc(), (pixels + reach + 1).trunc()
    weights = weights * ((low < points.new_tensor([size[1], size[0]])) & (high >= 0)).all(-1)
    axes = []
    for axis, length in enumerate((size[1], size[0])):
        positions = torch.arange(length, device=points.device, dtype=points.dtype)
        gaussian = (-((positions - points[..., axis, None]) ** 2) / (2 * sigma**2)).exp()
        if truncate:
            gaussian = gaussian * ((positions - pixels[..., axis, None]).abs() <= reach)
        axes.append(gaussian)
    x, y = axes  # (B, K, w), (B, K, h)
    maps = y[..., :, None] * x[..., None, :]
    return maps * (weights > 0)[..., None, None], weights
