"""DeiT (Touvron et al. 2021), as timm builds it: a plain vision transformer with its class token among its tokens.

Importing this module imports timm; those who only may need a DeiT import it where they do.
"""

from __future__ import annotations

from typing import Any

from timm.models.vision_transformer import VisionTransformer


class DeiT(VisionTransformer):
    """All tokens of the last layer, the class token first; (B, 3, H, W) -> (B, 1 + N, D).

    Args:
        patch: side of a patch in pixels.
        input_size: (height, width) of the image in pixels.
        dim: width D; every attention head has 64 of it, as in all published sizes.
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
            # POTR's decoder multiplies differences of its memory by up to 100, those of rounding in a fused kernel too
            block.attn.fused_attn = False
