"""Weight initialisation, where the published one differs from PyTorch's default."""

from __future__ import annotations

from torch import nn


def start_near_zero(head: nn.Module) -> None:
    """Initialise a head with very small kernels, so that its first heat maps are near zero.

    Source: `normal_init(std=0.001)` of Simple Baselines, mmpose and TransPose.
    """
    for layer in head.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.001)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
