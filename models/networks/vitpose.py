"""ViTPose (Xu et al. 2022): a plain vision transformer and a small decoder from its tokens to heat maps.

Module names follow the original checkpoints, whose state dicts load unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..geometry.processing import UDP
from .initialisation import start_near_zero
from .vit import Block

PATCH = 16


class PatchEmbed(nn.Module):
    """Non-overlapping patches; the padding of 2 is the original's and shifts the patches."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, PATCH, stride=PATCH, padding=2)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images)


class Backbone(nn.Module):
    """Vision transformer without a class token; (B, 3, H, W) -> (B, D, H / 16, W / 16).

    `make_mlp`, if given, returns the MLP of each block; further arguments of `forward` are passed to these.
    """

    def __init__(
        self,
        *,
        input_size: tuple[int, int],
        dim: int,
        depth: int,
        num_heads: int,
        drop_path: float = 0.0,
        make_mlp: Callable[[], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.grid = (input_size[0] // PATCH, input_size[1] // PATCH)
        self.patch_embed = PatchEmbed(dim)
        # Row 0, from the class token of the pre-training, is added to every patch.
        positions = torch.empty(1, self.grid[0] * self.grid[1] + 1, dim)
        self.pos_embed = nn.Parameter(nn.init.trunc_normal_(positions, std=0.02))
        self.blocks = nn.ModuleList(
            Block(
                dim,
                num_heads=num_heads,
                drop_path=drop_path * i / max(depth - 1, 1),
                mlp=None if make_mlp is None else make_mlp(),
            )
            for i in range(depth)
        )
        self.last_norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, images: Tensor, *route: int | Tensor) -> Tensor:
        x = self.patch_embed(images).flatten(2).transpose(1, 2)  # (B, N, D)
        x = x + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            x = block(x, *route)
        return self.last_norm(x).transpose(1, 2).unflatten(2, self.grid)  # (B, D, H/16, W/16)


class ClassicHead(nn.Module):
    """Two deconvolutions and a 1x1 convolution; (B, D, h, w) -> (B, K, 4h, 4w)."""

    def __init__(self, dim: int, *, num_keypoints: int, width: int = 256) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for c_in in (dim, width):
            layers += [
                nn.ConvTranspose2d(c_in, width, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(width, num_keypoints, 1)
        start_near_zero(self)

    def forward(self, features: Tensor) -> Tensor:
        return self.final_layer(self.deconv_layers(features))


class SimpleHead(nn.Module):
    """Bilinear upsampling by 4 and a 3x3 convolution; (B, D, h, w) -> (B, K, 4h, 4w)."""

    def __init__(self, dim: int, *, num_keypoints: int) -> None:
        super().__init__()
        self.final_layer = nn.Conv2d(dim, num_keypoints, 3, padding=1)
        start_near_zero(self)

    def forward(self, features: Tensor) -> Tensor:
        x = F.interpolate(F.relu(features), scale_factor=4.0, mode="bilinear", align_corners=False)
        return self.final_layer(x)


class ViTPose(nn.Module):
    """Heat maps of K keypoints from a person crop; (B, 3, H, W) -> (B, K, H / 4, W / 4).

    Args:
        dim: width D of the transformer.
        depth: number of blocks.
        num_heads: attention heads; 12 also for the small size, with 32 channels each.
        simple: the simple decoder instead of the classic one.
        num_keypoints: K.
        input_size: (height, width) of the crop in pixels.
        drop_path: stochastic depth of the last block while training.
    """

    processing = UDP

    def __init__(
        self,
        *,
        dim: int,
        depth: int,
        num_heads: int,
        simple: bool = False,
        num_keypoints: int = 17,
        input_size: tuple[int, int] = (256, 192),
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.num_keypoints = num_keypoints
        self.backbone = Backbone(input_size=input_size, dim=dim, depth=depth, num_heads=num_heads, drop_path=drop_path)
        head = SimpleHead if simple else ClassicHead
        self.keypoint_head = head(dim, num_keypoints=num_keypoints)

    def forward(self, images: Tensor) -> Tensor:
        return self.keypoint_head(self.backbone(images))
