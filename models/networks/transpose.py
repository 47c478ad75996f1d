"""TransPose (Yang et al. 2021): a convolutional backbone and a transformer encoder with interpretable attention.

Every pixel of the feature map is a token, so a row of the last layer's attention shows which image regions a keypoint's
location depends on (see `attention.maps`). TransPose-R uses half a ResNet-50 at stride 8, TransPose-H an HRNet at
stride 4. Module names follow the original checkpoints, whose state dicts load unchanged.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..geometry.processing import DARK_TRANSPOSE
from .checkpoint_sizes import count, crop_size
from .hrnet import hrnet_s
from .initialisation import start_near_zero
from .resnet import resnet_s

RESNET_CHANNELS = 512

SIZES: dict[str, dict[str, Any]] = {
    "transpose-r-a3": {"dim": 256, "depth": 3, "ffn": 1024, "num_heads": 8},
    "transpose-r-a4": {"dim": 256, "depth": 4, "ffn": 1024, "num_heads": 8},
    "transpose-h-s": {"width": 32, "dim": 64, "depth": 4, "ffn": 128, "num_heads": 1},
    "transpose-h-a4": {"width": 48, "dim": 96, "depth": 4, "ffn": 192, "num_heads": 1},
    "transpose-h-a6": {"width": 48, "dim": 96, "depth": 6, "ffn": 192, "num_heads": 1},
}


def sine_positions(grid: tuple[int, int], dim: int) -> Tensor:
    """Return the fixed position table (h w, 1, D) of Carion et al. 2020 (DETR): sines of y, then sines of x.

    Positions count from 1 and are scaled to 2 pi; sine and cosine of each frequency alternate.

    Args:
        grid: (height, width) in tokens.
        dim: D, a multiple of 4.
    """
    half = dim // 2  # the order of operations is the original's, for a bit-identical table
    periods = 10000 ** (2 * torch.arange(half).div(2, rounding_mode="floor") / half)  # (D/2,)

    def axis(length: int) -> Tensor:
        phases = torch.arange(1, length + 1)[:, None] / (length + 1e-6) * (2 * math.pi) / periods  # (length, D/2)
        return torch.stack([phases[:, 0::2].sin(), phases[:, 1::2].cos()], dim=-1).flatten(1)

    y, x = axis(grid[0]), axis(grid[1])
    table = torch.cat([y[:, None].expand(-1, grid[1], -1), x[None].expand(grid[0], -1, -1)], dim=-1)  # (h, w, D)
    return table.reshape(-1, 1, dim)


class EncoderLayer(nn.Module):
    """Post-norm transformer layer; positions are added to queries and keys, never to values.

    Shapes: tokens (L, B, D), positions (L, 1, D) -> (L, B, D), and the attention (B, L, L) averaged over heads.
    """

    def __init__(self, dim: int, *, ffn: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, num_heads, dropout=dropout)
        self.linear1 = nn.Linear(dim, ffn)
        self.linear2 = nn.Linear(ffn, dim)
        self.norm1 = nn.LayerNorm(dim, eps=1e-5)
        self.norm2 = nn.LayerNorm(dim, eps=1e-5)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Tensor | None, *, need_weights: bool) -> tuple[Tensor, Tensor | None]:
        q = k = x if positions is None else x + positions
        y, attention = self.self_attn(q, k, x, need_weights=need_weights)
        x = self.norm1(x + self.dropout(y))
        y = self.linear2(self.dropout(F.relu(self.linear1(x))))
        return self.norm2(x + self.dropout(y)), attention


class Encoder(nn.Module):
    """A stack of layers, each of which adds the positions; without a final norm."""

    def __init__(self, dim: int, *, depth: int, ffn: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(dim, ffn=ffn, num_heads=num_heads, dropout=dropout) for _ in range(depth)
        )
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, x: Tensor, positions: Tensor | None, *, need_weights: bool) -> tuple[Tensor, list[Tensor]]:
        attentions = []
        for layer in self.layers:
            x, attention = layer(x, positions, need_weights=need_weights)
            attentions += [attention] if need_weights else []
        return x, attentions


class TransPose(nn.Module):
    """Heat maps of K keypoints from a person crop; (B, 3, H, W) -> (B, K, H / 4, W / 4).

    Args:
        width: channels of the HRNet's finest branch (TransPose-H); None for the ResNet (TransPose-R).
        dim: width D of the encoder.
        depth: number of its layers.
        ffn: hidden width of its feed-forward networks.
        num_heads: attention heads.
        position: sine table (every released model), learnable table, or none.
        num_keypoints: K.
        input_size: (height, width) of the crop in pixels, multiples of 16.
        dropout: in the encoder while training.
    """

    processing = DARK_TRANSPOSE

    def __init__(
        self,
        *,
        width: int | None = None,
        dim: int,
        depth: int,
        ffn: int,
        num_heads: int,
        position: Literal["sine", "learnable", "none"] = "sine",
        num_keypoints: int = 17,
        input_size: tuple[int, int] = (256, 192),
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.num_keypoints = num_keypoints
        self.stride = 8 if width is None else 4  # pixels of the crop per token
        self.grid = (input_size[0] // self.stride, input_size[1] // self.stride)
        backbone = resnet_s() if width is None else hrnet_s(width)
        for name, layer in backbone.items():
            self.add_module(name, layer)
        self._backbone = tuple(backbone)
        self.reduce = nn.Conv2d(RESNET_CHANNELS if width is None else width, dim, 1, bias=False)
        self.pos_embedding: nn.Parameter | None = None
        if position == "sine":
            self.pos_embedding = nn.Parameter(sine_positions(self.grid, dim), requires_grad=False)
        elif position == "learnable":
            self.pos_embedding = nn.Parameter(torch.randn(self.grid[0] * self.grid[1], 1, dim))
        self.global_encoder = Encoder(dim, depth=depth, ffn=ffn, num_heads=num_heads, dropout=dropout)
        self.deconv_layers: nn.Module = nn.Identity()  # HRNet's tokens already have the heat map's resolution
        if width is None:
            upsample = nn.ConvTranspose2d(dim, dim, 4, stride=2, padding=1, bias=False)
            self.deconv_layers = nn.Sequential(upsample, nn.BatchNorm2d(dim), nn.ReLU())
        self.final_layer = nn.Conv2d(dim, num_keypoints, 1)
        start_near_zero(self.final_layer)

    @property
    def backbone(self) -> nn.ModuleDict:
        """The convolutional layers in order, under their names in this module."""
        return nn.ModuleDict({name: self.get_submodule(name) for name in self._backbone})

    def forward(self, images: Tensor) -> Tensor:
        return self._forward(images, need_weights=False)[0]

    def forward_with_attention(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the heat maps and every layer's attention (B, L, L), averaged over heads.

        Rows are queries: `attention[b, i, j]` is the weight of token j in the output of token i.
        """
        return self._forward(images, need_weights=True)

    def _forward(self, images: Tensor, *, need_weights: bool) -> tuple[Tensor, list[Tensor]]:
        x = images
        for name in self._backbone:
            x = self.get_submodule(name)(x)
        tokens = self.reduce(x).flatten(2).permute(2, 0, 1)  # (L, B, D)
        tokens, attentions = self.global_encoder(tokens, self.pos_embedding, need_weights=need_weights)
        features = tokens.permute(1, 2, 0).unflatten(2, self.grid)  # (B, D, h, w)
        return self.final_layer(self.deconv_layers(features)), attentions


def from_state(state: dict[str, Tensor]) -> TransPose | None:
    """Build the TransPose that fits a checkpoint of the original, with random weights.

    A checkpoint does not determine the number of heads: TransPose-R has 8, TransPose-H has 1.

    Args:
        state: tensors under the original's names; without `pos_embedding`, the sine table at 256x192 is used.

    Returns:
        The network, or None for another family.
    """
    needed = ("reduce.weight", "final_layer.weight", "global_encoder.layers.0.linear1.weight")
    if any(key not in state for key in needed):
        return None
    dim, channels = state["reduce.weight"].shape[:2]
    width = None if channels == RESNET_CHANNELS else channels
    stride = 8 if width is None else 4
    tokens = len(state["pos_embedding"]) if "pos_embedding" in state else 256 * 192 // stride**2
    return TransPose(
        width=width,
        dim=dim,
        depth=count(state, "global_encoder.layers."),
        ffn=state["global_encoder.layers.0.linear1.weight"].shape[0],
        num_heads=8 if width is None else 1,
        num_keypoints=state["final_layer.weight"].shape[0],
        input_size=crop_size(tokens, stride),
    )
