"""What the heat-map networks are to answer: a Gaussian at every keypoint, a batch at a time on any device."""

from __future__ import annotations

import torch
from torch import Tensor

SIGMA = 2.0  # heat-map pixels, in every published recipe at 64x48


def to_heatmap(
    points: Tensor, *, input_size: tuple[int, int], size: tuple[int, int], isotropic: bool = False
) -> Tensor:
    """Take points (B, K, 2) from pixels of the crop to pixels of the heat map.

    Args:
        points: x before y.
        input_size: (height, width) of the crop.
        size: (height, width) of the heat map.
        isotropic: one scale, that of the width, about the centre (TransPose); else the first and the last pixel of
            both meet on either axis (ViTPose's UDP). At 256x192 they differ by up to 0.13 heat-map pixels.
    """
    old = points.new_tensor([input_size[1] - 1, input_size[0] - 1])
    new = points.new_tensor([size[1] - 1, size[0] - 1])
    scale = new[0] / old[0] if isotropic else new / old
    return (points - old / 2) * scale + new / 2


def heatmap_targets(
    points: Tensor, weights: Tensor, *, size: tuple[int, int], sigma: float = SIGMA, truncate: bool
) -> tuple[Tensor, Tensor]:
    """Draw one Gaussian a keypoint, centred at its sub-pixel place and 1 at its peak.

    Args:
        points: (B, K, 2) heat-map pixels, x before y.
        weights: (B, K); a keypoint of weight 0 gets an empty map.
        size: (height, width) of the maps.
        sigma: in heat-map pixels.
        truncate: end the Gaussian 3 sigma from the pixel that is nearest to the keypoint, as ViTPose's UDP targets do
            (mmpose's `_udp_generate_target`); TransPose's run on (`generate_target`).

    Returns:
        Maps (B, K, height, width), and the weights (B, K) with a 0 for every keypoint so far outside that nothing
        within 3 sigma of it is in the map.
    """
    reach = 3 * sigma
    # The originals round with int(), so towards zero, which shows beyond the upper and the left edge.
    pixels = (points + 0.5).trunc() if truncate else points  # (B, K, 2)
    low, high = (pixels - reach).trunc(), (pixels + reach + 1).trunc()
    weights = weights * ((low < points.new_tensor([size[1], size[0]])) & (high >= 0)).all(-1)
    axes = []
    for axis, length in enumerate((size[1], size[0])):
        places = torch.arange(length, device=points.device, dtype=points.dtype)
        wave = (-((places - points[..., axis, None]) ** 2) / (2 * sigma**2)).exp()
        if truncate:
            wave = wave * ((places - pixels[..., axis, None]).abs() <= reach)
        axes.append(wave)
    x, y = axes  # (B, K, w), (B, K, h)
    maps = y[..., :, None] * x[..., None, :]
    return maps * (weights > 0)[..., None, None], weights
