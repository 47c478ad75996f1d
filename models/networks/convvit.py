"""ConvViT, the bundled pose network: a convolutional backbone pre-trained on people, then transformer blocks.

The backbone is that of YOLOv8n-pose, trained on COCO; on a small dataset, training from scratch would spend most of
its time on the same features. Attention is applied at stride 16, where it is cheap and covers the whole person (as in
TransPose, Yang et al. 2021). The decoder upsamples and adds the finer maps of the backbone, for sharp heat maps at
stride 4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..geometry.crop import MEAN, STD
from ..geometry.processing import UDP_SHRUNK
from .csp_pan import CSPPAN
from .vit import Block

SIGMA = 1.5  # standard deviation of the training target in heat-map pixels
HEAD_DIM = 32
FROZEN = 2  # first convolutions of the backbone, which are not trained


class Fusion(nn.Module):
    """Upsample a coarse map by 2, add a finer one of the backbone, and apply a 3x3 convolution."""

    def __init__(self, coarse: int, fine: int, channels: int) -> None:
        super().__init__()
        self.coarse = nn.Sequential(nn.Conv2d(coarse, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.fine = nn.Sequential(nn.Conv2d(fine, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.mix = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return self.mix(self.fine(fine) + F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest"))


class ConvViT(nn.Module):
    """Heat maps of K keypoints from a person crop.

    The last layer outputs logits. A heat map is their softmax over all pixels, scaled by 2 pi sigma^2, so that a
    prediction as sharp as the training target has a peak of 1. The peak is thus a confidence: an unlocalised joint
    scores near 0.

    Args:
        input_size: (height, width) of the crop in pixels, multiples of 16.
        backbone_width: multiplier of the backbone's channels; 0.25 is YOLOv8 nano's.
        width: channels of the transformer.
        depth: transformer blocks at stride 16.
        decoder: channels of the decoder at stride 8 and 4.
        num_keypoints: K.
        drop_path: stochastic depth of the last block; it grows linearly from 0.

    Shapes: (B, 3, H, W) -> (B, K, H / 4, W / 4).
    """

    processing = UDP_SHRUNK

    def __init__(
        self,
        *,
        input_size: tuple[int, int] = (256, 192),
        backbone_width: float = 0.25,
        width: int = 192,
        depth: int = 3,
        decoder: tuple[int, int] = (128, 64),
        num_keypoints: int = 17,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if input_size[0] % 16 or input_size[1] % 16:
            raise ValueError(f"input_size {input_size} is not a multiple of 16 in both directions.")
        self.input_size = input_size
        self.num_keypoints = num_keypoints
        # Crops are normalised as for ViTPose; the backbone expects images in [0, 1].
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(MEAN.tolist()).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD.tolist()).view(1, 3, 1, 1), persistent=False)
        self.backbone = CSPPAN(backbone_width)
        c4, c8, c16, c32 = self.backbone.channels
        self.project16 = nn.Conv2d(c16, width, 1)
        self.project32 = nn.Conv2d(c32, width, 1)
        self.pos_embed = nn.Parameter(torch.zeros(1, width, input_size[0] // 16, input_size[1] // 16))
        self.blocks = nn.ModuleList(
            Block(width, num_heads=width // HEAD_DIM, drop_path=drop_path * i / max(depth - 1, 1)) for i in range(depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.fuse8 = Fusion(width, c8, decoder[0])
        self.fuse4 = Fusion(decoder[0], c4, decoder[1])
        self.final_layer = nn.Conv2d(decoder[1], num_keypoints, 1)
        self._init_weights()
        self.backbone.freeze(FROZEN)

    def _init_weights(self) -> None:
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.final_layer.weight, std=0.01)
        nn.init.zeros_(self.final_layer.get_parameter("bias"))

    def logits(self, images: Tensor) -> Tensor:
        """Return unnormalised log heat maps (B, K, H / 4, W / 4), the input of the training loss."""
        x4, x8, x16, x32 = self.backbone(images * self.std + self.mean)
        h, w = x16.shape[2:]
        # At stride 32, an odd side at stride 16 is rounded up.
        coarse = F.interpolate(self.project32(x32), scale_factor=2.0, mode="nearest")[:, :, :h, :w]
        x = self.project16(x16) + coarse + self.pos_embed
        x = x.flatten(2).transpose(1, 2)  # (B, h w, width)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x).transpose(1, 2).unflatten(2, (h, w))
        return self.final_layer(self.fuse4(self.fuse8(x, x8), x4))

    def forward(self, images: Tensor) -> Tensor:
        logits = self.logits(images)
        probability = logits.flatten(2).softmax(-1).view_as(logits)
        return probability * (2 * math.pi * SIGMA**2)
