"""The pre-norm transformer block of plain vision transformers (Dosovitskiy et al. 2021, ViT)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head self-attention with one joint `qkv` projection, as in the original ViT.

    Args:
        dim: width D.
        num_heads: heads, with D / num_heads channels each.
    """

    def __init__(self, dim: int, *, num_heads: int) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(f"dim {dim} cannot be split into {num_heads} heads; choose a divisor of dim.")
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        q, k, v = self._heads(x)
        x = F.scaled_dot_product_attention(q, k, v)  # (B, heads, N, D / heads)
        return self.proj(x.transpose(1, 2).reshape(b, n, d))

    def weights(self, x: Tensor) -> Tensor:
        """Return the attention (B, N, N) that `forward` uses for this input, averaged over heads; rows are queries."""
        q, k, _ = self._heads(x)
        return (q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(-1).mean(1)

    def _heads(self, x: Tensor) -> Tensor:
        b, n, d = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.num_heads, d // self.num_heads)
        return qkv.permute(2, 0, 3, 1, 4)  # (3, B, heads, N, D / heads)


class Mlp(nn.Module):
    """Two linear layers around an exact (erf) GELU; the tanh approximation would change published results."""

    def __init__(self, dim: int, *, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm transformer block with stochastic depth: x + attn(norm1(x)), then x + mlp(norm2(x)).

    Shapes: (B, N, D) -> (B, N, D). `mlp` replaces the default MLP; further arguments of `forward`
    are passed to it.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        drop_path: float = 0.0,
        mlp: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, num_heads=num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, hidden=4 * dim) if mlp is None else mlp
        self.drop_path = drop_path

    def forward(self, x: Tensor, *route: int | Tensor) -> Tensor:
        x = x + self._drop(self.attn(self.norm1(x)))
        return x + self._drop(self.mlp(self.norm2(x), *route))

    def _drop(self, x: Tensor) -> Tensor:
        """In training, skip this branch for a random subset of the samples (Huang et al. 2016)."""
        if not self.training or self.drop_path == 0.0:
            return x
        keep = 1.0 - self.drop_path
        return x * torch.empty(len(x), 1, 1, dtype=x.dtype, device=x.device).bernoulli_(keep).div_(keep)
