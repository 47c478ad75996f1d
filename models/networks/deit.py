"""DeiT (Touvron et al. 2021), built by timm: a plain vision transformer that also outputs its class token.

This module imports timm, which is slow; import it only where a DeiT is built.
"""

from __future__ import annotations

from typing import Any

from timm.models.vision_transformer import VisionTransformer


class DeiT(VisionTransformer):
    """All tokens of the last layer, the class token first; (B, 3, H, W) -> (B, 1 + N, D).

    Args:
        patch: side of a patch in pixels.
        input_size: (height, width) of the image in pixels.
        dim: width D; attention heads have 64 channels, as in all published sizes.
        depth: number of blocks.
    """

    class_tokens = 1

    def __init__(
        self, *, patch: int, input_size: tuple[int, int] = (256, 192), dim: int = 384, depth: int = 12
    ) -> None:
        super().__init__(
            img_size=input_size,
            patch_size=patch,
            embed_dim=dim,
            depth=depth,
            num_heads=dim // 64,
            num_classes=0,
            global_pool="",
        )
        self.input_size = input_size
        self.dim = dim
        self.grid = (input_size[0] // patch, input_size[1] // patch)
        blocks: Any = self.blocks
        for block in blocks:
            # POTR's decoder amplifies differences by up to 100 times, including the rounding of a fused kernel
            block.attn.fused_attn = False
