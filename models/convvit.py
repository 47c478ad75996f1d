"""ConvViT: the small pose network that ships with posetrack; convolutions first, then a few transformer blocks.

Trained from nothing on a small set, a plain ViT spends most of its time learning what a convolution knows from the
start. So the strides 4 and 8 are residual convolutions (Xiao et al. 2021, "Early convolutions help transformers see
better"), attention works at stride 16 where it is cheap and sees the whole person, and the decoder adds the
convolutional maps back on the way up, so that a heat map at stride 4 is sharp.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .processing import UDP
from .vit import Block

SIGMA = 1.5  # standard deviation of the training target in heat-map pixels
HEAD_DIM = 32


def _conv(c_in: int, c_out: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(c_out)
    )


class ResidualConv(nn.Module):
    """Basic residual block of two 3x3 convolutions (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, channels)
        self.conv2 = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class ConvViT(nn.Module):
    """Heat maps of K keypoints from a person crop.

    The output of the last layer are logits; a heat map is their softmax over all places, scaled by 2 pi sigma^2 so
    that a prediction as sharp as the training target peaks at 1. The peak is thereby a confidence: a joint that could
    be anywhere scores near 0.

    Args:
        input_size: (height, width) of the crop in pixels, multiples of 16.
        widths: channels at stride 4, 8 and 16; the last is the transformer's width.
        convs: residual blocks at stride 4 and 8.
        depth: transformer blocks at stride 16.
        num_keypoints: K.

    Shapes: (B, 3, H, W) -> (B, K, H / 4, W / 4).
    """

    processing = UDP

    def __init__(
        self,
        *,
        input_size: tuple[int, int] = (256, 192),
        widths: tuple[int, int, int] = (64, 128, 256),
        convs: tuple[int, int] = (2, 3),
        depth: int = 4,
        num_keypoints: int = 17,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if input_size[0] % 16 or input_size[1] % 16:
            raise ValueError(f"input_size {input_size} is not a multiple of 16 in both directions.")
        a, b, c = widths
        self.input_size = input_size
        self.num_keypoints = num_keypoints
        self.stem = nn.Sequential(_conv(3, a // 2, stride=2), nn.ReLU(), _conv(a // 2, a, stride=2), nn.ReLU())
        self.stage4 = nn.Sequential(*(ResidualConv(a) for _ in range(convs[0])))
        self.down8 = nn.Sequential(_conv(a, b, stride=2), nn.ReLU())
        self.stage8 = nn.Sequential(*(ResidualConv(b) for _ in range(convs[1])))
        self.down16 = _conv(b, c, stride=2)
        self.pos_embed = nn.Parameter(torch.zeros(1, c, input_size[0] // 16, input_size[1] // 16))
        self.blocks = nn.ModuleList(
            Block(c, num_heads=c // HEAD_DIM, drop_path=drop_path * i / max(depth - 1, 1)) for i in range(depth)
        )
        self.norm = nn.LayerNorm(c, eps=1e-6)
        self.up8 = nn.Sequential(_conv(c, b, kernel=1))
        self.fuse8 = nn.Sequential(nn.ReLU(), _conv(b, b), nn.ReLU())
        self.up4 = nn.Sequential(_conv(b, a, kernel=1))
        self.fuse4 = nn.Sequential(nn.ReLU(), _conv(a, a), nn.ReLU())
        self.final_layer = nn.Conv2d(a, num_keypoints, 1)
        self._init_weights()

    def _init_weights(self) -> None:
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, ResidualConv):
                nn.init.zeros_(module.conv2.get_parameter("1.weight"))  # every residual block begins as the identity
        nn.init.normal_(self.final_layer.weight, std=0.01)
        nn.init.zeros_(self.final_layer.get_parameter("bias"))

    def logits(self, images: Tensor) -> Tensor:
        """Return unnormalised log heat maps (B, K, H / 4, W / 4), what the training loss works on."""
        x4 = self.stage4(self.stem(images))  # (B, a, H/4, W/4)
        x8 = self.stage8(self.down8(x4))  # (B, b, H/8, W/8)
        x = self.down16(x8) + self.pos_embed  # (B, c, H/16, W/16)
        h, w = x.shape[2:]
        x = x.flatten(2).transpose(1, 2)  # (B, h w, c)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x).transpose(1, 2).unflatten(2, (h, w))
        x = self.fuse8(x8 + F.interpolate(self.up8(x), scale_factor=2.0, mode="nearest"))
        x = self.fuse4(x4 + F.interpolate(self.up4(x), scale_factor=2.0, mode="nearest"))
        return self.final_layer(x)

    def forward(self, images: Tensor) -> Tensor:
        logits = self.logits(images)
        probability = logits.flatten(2).softmax(-1).view_as(logits)
        return probability * (2 * math.pi * SIGMA**2)
