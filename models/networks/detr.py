"""The transformer of DETR (Carion et al. 2020): learned queries attend to encoded tokens and predict a set.

Layers are post-norm. Positions are added to queries and keys, never to values, in every layer; tensors are (B, N, D).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Callable[[Tensor], Tensor]


class EncoderLayer(nn.Module):
    """Self-attention of the tokens and an MLP; (B, N, D) -> (B, N, D)."""

    def __init__(self, dim: int, *, num_heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, num_heads, batch_first=True)
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.activation = activation

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        x = self.norm1(x + _attend(self.self_attn, x + positions, x + positions, x))
        return self.norm2(x + self.linear2(self.activation(self.linear1(x))))


class DecoderLayer(nn.Module):
    """Self-attention of the queries, cross-attention to the memory, and an MLP; (B, Q, D) -> (B, Q, D)."""

    def __init__(self, dim: int, *, num_heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, num_heads, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(dim, num_heads, batch_first=True)
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.norm3 = nn.LayerNorm(dim)
        self.activation = activation

    def forward(self, x: Tensor, queries: Tensor, keys: Tensor, memory: Tensor) -> Tensor:
        x = self.norm1(x + _attend(self.self_attn, x + queries, x + queries, x))
        x = self.norm2(x + _attend(self.multihead_attn, x + queries, keys, memory))
        return self.norm3(x + self.linear2(self.activation(self.linear1(x))))


class Encoder(nn.Module):
    """Encoder layers without a final norm, (B, N, D) -> (B, N, D)."""

    def __init__(self, dim: int, *, depth: int, num_heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(dim, num_heads=num_heads, hidden=hidden, activation=activation) for _ in range(depth)
        )

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, positions)
        return x


class Decoder(nn.Module):
    """Decoder layers that start from zero and the queries; the outputs of all layers share one norm."""

    def __init__(self, dim: int, *, depth: int, num_heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            DecoderLayer(dim, num_heads=num_heads, hidden=hidden, activation=activation) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dim)

    def forward(self, queries: Tensor, memory: Tensor, positions: Tensor | None) -> Tensor:
        """Decode queries (Q, D) with a memory (B, N, D) and positions (1, N, D): (L, B, Q, D), one per layer."""
        queries = queries.expand(memory.shape[0], -1, -1)  # (B, Q, D)
        keys = memory if positions is None else memory + positions
        x = torch.zeros_like(queries)
        outputs = []
        for layer in self.layers:
            x = layer(x, queries, keys, memory)
            outputs.append(self.norm(x))
        return torch.stack(outputs)


class Transformer(nn.Module):
    """DETR's encoder and decoder over the tokens of a backbone, with a shortcut around the encoder.

    Args:
        dim: width D of the transformer.
        token_dim: width of the backbone's tokens and of their positions.
        depth: layers of the encoder, and of the decoder.
        num_heads: attention heads.
        hidden: width of the layers' MLPs, whose activation is always ReLU.
    """

    def __init__(self, dim: int, *, token_dim: int, depth: int, num_heads: int, hidden: int) -> None:
        super().__init__()
        self.encoder = Encoder(dim, depth=depth, num_heads=num_heads, hidden=hidden, activation=F.relu)
        self.decoder = Decoder(dim, depth=depth, num_heads=num_heads, hidden=hidden, activation=F.relu)
        self.lin_proj_src = nn.Linear(token_dim, dim)
        self.lin_proj_mem = nn.Linear(token_dim, dim)
        self.lin_proj_pos = nn.Linear(token_dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, tokens: Tensor, positions: Tensor, queries: Tensor) -> Tensor:
        """Return (L, B, Q, D) from tokens (B, N, C), their positions (1, N, C) and queries (Q, D)."""
        positions = self.lin_proj_pos(positions)  # (1, N, D)
        memory = self.encoder(self.lin_proj_src(tokens), positions)
        return self.decoder(queries, self.norm1(memory + self.lin_proj_mem(tokens)), positions)


class MLP(nn.Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, dim: int, *, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, out)])

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.layers
        return last(F.relu(second(F.relu(first(x)))))


def _attend(attention: nn.MultiheadAttention, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    # The weights are requested, though unused, to keep the order of operations and thus the rounding of the original.
    return attention(queries, keys, values)[0]
