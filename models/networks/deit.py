"""DeiT (Touvron et al. 2021): a plain vision transformer whose class token stays among its tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .vit import Block


class PatchEmbed(nn.Module):
    """Non-overlapping patches without padding; (B, 3, H, W) -> (B, D, H / patch, W / patch)."""

    def __init__(self, dim: int, *, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images)


class DeiT(nn.Module):
    """All tokens of the last layer, the class token first; (B, 3, H, W) -> (B, 1 + N, D).

    Args:
        patch: side of a patch in pixels.
        input_size: (height, width) of the image in pixels.
        dim: width D; every attention head has 64 of it, as in all published sizes.
        depth: number of blocks.
    """

    class_tokens = 1

    def __init__(
        self,
        *,
        patch: int,
        input_size: tuple[int, int] = (256, 192),
        dim: int = 384,
        depth: int = 12,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.dim = dim
        self.grid = (input_size[0] // patch, input_size[1] // patch)
        tokens = self.class_tokens + self.grid[0] * self.grid[1]
        self.cls_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, dim), std=0.02))
        self.pos_embed = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, tokens, dim), std=0.02))
        self.patch_embed = PatchEmbed(dim, patch=patch)
        self.blocks = nn.ModuleList(
            # POTR's decoder multiplies differences of its memory by up to 100, those of rounding too
            Block(dim, num_heads=dim // 64, eps=1e-6, stepwise=True)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patch_embed(images).flatten(2).transpose(1, 2)  # (B, N, D)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.pos_embed  # (B, 1 + N, D)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)
