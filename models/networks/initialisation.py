"""How fresh networks begin, where PyTorch's own start is not the published one."""

from __future__ import annotations

from torch import nn


def start_near_zero(head: nn.Module) -> None:
    """Draw a head's kernels so small that its heat maps begin at zero, and need not unlearn noise of their own size.

    Source: `normal_init(std=0.001)` of Simple Baselines, mmpose and TransPose.
    """
    for layer in head.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.001)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
