"""XCiT (El-Nouby et al. 2021): attention between channels instead of tokens, at a cost of O(N) instead of O(N^2).

Module names follow the original checkpoints, spelling included (`pos_embeder`).
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .vit import Mlp


class FourierPositions(nn.Module):
    """Sines and cosines of each token's row and column, projected to D channels: (1, D, h, w) for any grid."""

    def __init__(self, dim: int, *, hidden: int = 32) -> None:
        super().__init__()
        self.hidden = hidden  # per axis
        self.token_projection = nn.Conv2d(2 * hidden, dim, 1)

    def forward(self, grid: tuple[int, int]) -> Tensor:
        rows, columns = (self._waves(length) for length in grid)  # (h, 32), (w, 32)
        h, w = grid
        waves = torch.cat([rows[:, None].expand(-1, w, -1), columns[None].expand(h, -1, -1)], dim=-1)
        # Permuted with the batch axis, these are channels-last, so that the convolution sums in the original's order.
        # POTR amplifies rounding differences up to a hundred times.
        return self.token_projection(waves[None].permute(0, 3, 1, 2))

    def _waves(self, length: int) -> Tensor:
        """Return (length, hidden): sine and cosine of positions up to 2 pi, at frequencies from 1 to 1 / 10000."""
        weight = self.token_projection.weight
        positions = torch.arange(1, length + 1, dtype=weight.dtype, device=weight.device)
        positions = positions / (length + 1e-6) * (2 * math.pi)
        exponents = torch.arange(0, self.hidden, 2, dtype=weight.dtype, device=weight.device) / self.hidden
        angles = positions[:, None] / 10000**exponents  # (length, hidden / 2)
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class ConvPatchEmbed(nn.Module):
    """3x3 convolutions of stride 2, one per factor of 2; (B, 3, H, W) -> (B, D, H / patch, W / patch)."""

    def __init__(self, dim: int, *, patch: int) -> None:
        super().__init__()
        stages = int(math.log2(patch))
        widths = [3, *(dim // 2**i for i in reversed(range(stages)))]
        layers: list[nn.Module] = []
        for c_in, c_out in itertools.pairwise(widths):
            convolution = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1, bias=False)
            layers += [nn.Sequential(convolution, nn.BatchNorm2d(c_out)), nn.GELU()]
        self.proj = nn.Sequential(*layers[:-1])

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images)


class CrossCovarianceAttention(nn.Module):
    """Attention among the channels of each head; queries and keys are normalised over all N tokens (section 3.2)."""

    def __init__(self, dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.temperature = nn.Parameter(torch.ones(num_heads, 1, 1))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, d // self.num_heads).permute(2, 0, 3, 4, 1)
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)  # (B, heads, D / heads, N)
        attention = (q @ k.transpose(-2, -1) * self.temperature).softmax(dim=-1)  # (B, heads, D / heads, D / heads)
        return self.proj((attention @ v).permute(0, 3, 1, 2).reshape(b, n, d))


class LocalPatchInteraction(nn.Module):
    """Two depthwise 3x3 convolutions over the grid, the only spatial interaction of patches; (B, N, D) -> (B, N, D)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)
        self.bn = nn.BatchNorm2d(dim)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        x = x.transpose(1, 2).unflatten(2, grid)  # (B, D, h, w)
        x = self.conv2(self.bn(F.gelu(self.conv1(x))))
        return x.flatten(2).transpose(1, 2)


class Block(nn.Module):
    """Channel attention, local patch interaction, MLP; every branch is scaled per channel (LayerScale)."""

    def __init__(self, dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = CrossCovarianceAttention(dim, num_heads=num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, hidden=4 * dim)
        self.norm3 = nn.LayerNorm(dim, eps=1e-6)
        self.local_mp = LocalPatchInteraction(dim)
        self.gamma1 = nn.Parameter(torch.ones(dim))
        self.gamma2 = nn.Parameter(torch.ones(dim))
        self.gamma3 = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        x = x + self.gamma1 * self.attn(self.norm1(x))
        x = x + self.gamma3 * self.local_mp(self.norm3(x), grid)
        return x + self.gamma2 * self.mlp(self.norm2(x))


class ClassAttention(nn.Module):
    """Attention with the class token as the only query (CaiT, Touvron et al. 2021); other tokens are unchanged."""

    def __init__(self, dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, d // self.num_heads).permute(2, 0, 3, 1, 4)
        attention = ((q[:, :, :1] * k).sum(-1) * q.shape[-1] ** -0.5).softmax(-1)  # (B, heads, N)
        token = (attention[:, :, None] @ v).transpose(1, 2).reshape(b, 1, d)
        return torch.cat([self.proj(token), x[:, 1:]], dim=1)


class ClassAttentionBlock(nn.Module):
    """Class attention and an MLP for the class token; (B, 1 + N, D) -> (B, 1 + N, D).

    The patch tokens change too, as in the published code: their norm is added in the first branch, `norm2` is applied,
    and the last sum doubles them. POTR reads these tokens.
    """

    def __init__(self, dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = ClassAttention(dim, num_heads=num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, hidden=4 * dim)
        self.gamma1 = nn.Parameter(torch.ones(dim))
        self.gamma2 = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm2(x + self.gamma1 * self.attn(self.norm1(x)))
        return x + torch.cat([self.gamma2 * self.mlp(x[:, :1]), x[:, 1:]], dim=1)


class XCiT(nn.Module):
    """All tokens of the last layer, the class token first; (B, 3, H, W) -> (B, 1 + N, D).

    No parameter depends on the input size, so the same weights serve any.

    Args:
        patch: side of a patch in pixels, a power of 2.
        input_size: (height, width) of the image in pixels.
        dim: width D.
        depth: number of blocks before the class attention.
        num_heads: attention heads.
    """

    class_tokens = 1

    def __init__(
        self,
        *,
        patch: int,
        input_size: tuple[int, int] = (256, 192),
        dim: int = 384,
        depth: int = 12,
        num_heads: int = 8,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.dim = dim
        self.grid = (input_size[0] // patch, input_size[1] // patch)
        self.cls_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, dim), std=0.02))
        self.patch_embed = ConvPatchEmbed(dim, patch=patch)
        self.blocks = nn.ModuleList(Block(dim, num_heads=num_heads) for _ in range(depth))
        self.cls_attn_blocks = nn.ModuleList(ClassAttentionBlock(dim, num_heads=num_heads) for _ in range(2))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pos_embeder = FourierPositions(dim)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patch_embed(images)  # (B, D, h, w)
        grid = (x.shape[2], x.shape[3])
        x = (x + self.pos_embeder(grid)).flatten(2).transpose(1, 2)  # (B, N, D)
        for block in self.blocks:
            x = block(x, grid)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1)  # (B, 1 + N, D)
        for block in self.cls_attn_blocks:
            x = block(x)
        return self.norm(x)
