"""POTR (Panteleris and Argyros 2022, "PE-former"): a set of learned queries, each of which predicts one keypoint.

An encoder converts the crop to tokens; DETR's decoder attends to them. Module names follow the original checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..geometry import processing
from .checkpoint_sizes import count, crop_size
from .detr import MLP, Activation, Decoder, Transformer
from .resnet import ResNetTokens
from .xcit import FourierPositions, XCiT

if TYPE_CHECKING:
    from .deit import DeiT

    TokenEncoder = DeiT | XCiT | ResNetTokens

HEADS = 8
ACTIVATIONS: dict[str, Activation] = {"gelu": F.gelu, "relu": F.relu}
POSITIONS = (("learned_nocls", "none"), ("enc_xcit", "learned_cls", "none"))  # without and with a class token


class VitTransformer(nn.Module):
    """An encoder's tokens, projected, as the memory of a decoder; (B, 3, H, W), (Q, D) -> (L, B, Q, D).

    The memory includes the class token, whose Fourier position is zero.
    """

    def __init__(
        self, encoder: TokenEncoder, *, dim: int, depth: int, hidden: int, positions: str, activation: Activation
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = Decoder(dim, depth=depth, num_heads=HEADS, hidden=hidden, activation=activation)
        self.lin_proj_mem = nn.Linear(encoder.dim, dim, bias=False)
        self.vit_norm = nn.LayerNorm(dim)
        self.pos_encoder = FourierPositions(dim) if positions == "enc_xcit" else None
        self.pos_embed = _learned(encoder, dim) if positions.startswith("learned") else None
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1 and "encoder" not in name:
                nn.init.xavier_uniform_(parameter)

    def forward(self, images: Tensor, queries: Tensor) -> Tensor:
        memory = self.vit_norm(self.lin_proj_mem(self.encoder(images)))  # (B, N, D)
        return self.decoder(queries, memory, self.positions(images.shape[2:]))

    def positions(self, size: tuple[int, ...]) -> Tensor | None:
        """Return the positions (1, N, D) to add to the memory in the keys, for a crop of `size` (height, width)."""
        if self.pos_encoder is None:
            return self.pos_embed
        # From the size of the crop: an XCiT takes any size, and its weights do not determine the training size.
        rows, columns = (
            length * cells // trained
            for length, cells, trained in zip(size, self.encoder.grid, self.encoder.input_size, strict=True)
        )
        patches = self.pos_encoder((rows, columns)).flatten(2).transpose(1, 2)
        return F.pad(patches, (0, 0, self.encoder.class_tokens, 0))


class POTR(nn.Module):
    """Keypoints of a person crop as a set; (B, 3, H, W) -> the original's dict.

    `pred_logits` (B, Q, K + 1), the last class being "no keypoint"; `pred_boxes` (B, Q, 2), x and y as fractions of
    the crop; `aux_outputs`, the same two of every decoder layer but the last.

    Args:
        encoder: converts images to tokens.
        positions: positional encoding of the decoder's keys, in the original's terms: "enc_xcit" (Fourier, for encoders
            with a class token), "learned_cls" (the same encoders), "learned_nocls" (encoders without), or "none".
        as_backbone: the original's `--vit_as_backbone`: a complete DETR transformer follows the encoder. Its positions
            are learned, or for any other option the encoder's `pos_embed`; its activation is always ReLU.
        hidden: width of the transformer layers' MLPs.
        activation: of the decoder, "gelu" or "relu".
        dim: width D of the decoder.
        depth: number of decoder layers, and of DETR's encoder layers.
        num_queries: Q.
        num_keypoints: K.
    """

    processing = processing.POTR

    def __init__(
        self,
        *,
        encoder: TokenEncoder,
        positions: str = "enc_xcit",
        as_backbone: bool = False,
        hidden: int = 1536,
        activation: str = "gelu",
        dim: int = 384,
        depth: int = 6,
        num_queries: int = 100,
        num_keypoints: int = 17,
    ) -> None:
        super().__init__()
        options = POSITIONS[encoder.class_tokens]
        if positions not in options:
            name = type(encoder).__name__
            raise ValueError(f"{name} does not support positions '{positions}'; choose one of {', '.join(options)}.")
        if as_backbone and not positions.startswith("learned") and not hasattr(encoder, "pos_embed"):
            raise ValueError("As a backbone, only DeiT has its own position embeddings; choose learned ones.")
        self.input_size = encoder.input_size
        self.num_keypoints = num_keypoints
        self.activation = "relu" if as_backbone else activation
        self.backbone: nn.ModuleDict | None = None
        self.pos_embed: nn.Parameter | None = None
        if as_backbone:
            self.backbone = nn.ModuleDict({"body": encoder})
            self.transformer: nn.Module = Transformer(
                dim, token_dim=encoder.dim, depth=depth, num_heads=HEADS, hidden=hidden
            )
            self.pos_embed = _learned(encoder, dim) if positions.startswith("learned") else None
        else:
            self.transformer = VitTransformer(
                encoder, dim=dim, depth=depth, hidden=hidden, positions=positions, activation=ACTIVATIONS[activation]
            )
        self.class_embed = nn.Linear(dim, num_keypoints + 1)
        self.bbox_embed = MLP(dim, out=2)
        self.query_embed = nn.Embedding(num_queries, dim)

    def forward(self, images: Tensor) -> dict[str, Any]:
        queries = self.query_embed.weight  # (Q, D)
        if self.backbone is None:
            decoded = self.transformer(images, queries)  # (L, B, Q, D)
        else:
            encoder = self.backbone["body"]
            positions = encoder.pos_embed if self.pos_embed is None else self.pos_embed
            decoded = self.transformer(encoder(images), positions, queries)  # (L, B, Q, D)
        logits = self.class_embed(decoded)  # (L, B, Q, K + 1)
        boxes = self.bbox_embed(decoded).sigmoid()  # (L, B, Q, 2)
        layers = [{"pred_logits": a, "pred_boxes": b} for a, b in zip(logits, boxes, strict=True)]
        return layers[-1] | {"aux_outputs": layers[:-1]}


Size = tuple[int, int]  # (height, width) of the crop in pixels


def _deit(patch: int, **options: Any) -> Callable[..., POTR]:
    def build(input_size: Size = (256, 192)) -> POTR:
        from .deit import DeiT  # imports timm

        return POTR(encoder=DeiT(patch=patch, input_size=input_size), **options)

    return build


def _xcit(patch: int, default: Size = (256, 192)) -> Callable[..., POTR]:
    return lambda input_size=default: POTR(encoder=XCiT(patch=patch, input_size=input_size))


def _resnet50(**options: Any) -> Callable[..., POTR]:
    return lambda input_size=(256, 192): POTR(
        encoder=ResNetTokens(input_size=input_size), positions="learned_nocls", **options
    )


SIZES: dict[str, Callable[..., POTR]] = {  # each takes another `input_size`
    "potr-deit-s16": _deit(16),
    "potr-deit-dino-s8": _deit(8, hidden=2048),
    "potr-xcit-s12-p16": _xcit(16),
    "potr-xcit-s12-p8": _xcit(8),
    "potr-xcit-s12-p16-288x384": _xcit(16, (384, 288)),
    "potr-xcit-s12-p8-288x384": _xcit(8, (384, 288)),
    "potr-resnet50": _resnet50(),
    "potr-vab-deit-s16": _deit(16, as_backbone=True),
    "potr-vab-resnet50": _resnet50(as_backbone=True),
}


def from_state(
    state: Mapping[str, Tensor], *, input_size: tuple[int, int] | None = None, activation: str = "gelu"
) -> POTR | None:
    """Build the network that fits a checkpoint's keys and shapes, with random weights.

    Two settings may not follow from the weights. Learned positions determine the input size; an XCiT with Fourier
    positions fits any size and gets (256, 192), that of most published files. The decoder's activation is GELU in
    every published file.

    Args:
        state: in the original's keys.
        input_size: (height, width) of the crop, if known.
        activation: of the decoder, "gelu" or "relu".

    Returns:
        The network, or None for a checkpoint of another family.
    """
    if not {"query_embed.weight", "transformer.lin_proj_mem.weight"} <= state.keys():
        return None
    as_backbone = any(key.startswith("backbone.body.") for key in state)
    prefix = "backbone.body." if as_backbone else "transformer.encoder."
    learned = state.get("pos_embed" if as_backbone else "transformer.pos_embed")
    parts = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    encoder = _encoder_from(parts, learned, input_size)
    if encoder is None:
        return None
    if learned is not None or (as_backbone and not encoder.class_tokens):
        positions = "learned_cls" if encoder.class_tokens else "learned_nocls"
    else:
        positions = "enc_xcit" if as_backbone or "transformer.pos_encoder.token_projection.weight" in state else "none"
    num_queries, dim = state["query_embed.weight"].shape
    return POTR(
        encoder=encoder,
        positions=positions,
        as_backbone=as_backbone,
        hidden=_size(state, "transformer.decoder.layers.0.linear1.weight", 1536),
        activation=activation,
        dim=dim,
        depth=count(state, "transformer.decoder.layers."),
        num_queries=num_queries,
        num_keypoints=_size(state, "class_embed.weight", 18) - 1,
    )


def _encoder_from(
    state: Mapping[str, Tensor], learned: Tensor | None, input_size: tuple[int, int] | None
) -> TokenEncoder | None:
    if "0.conv1.weight" in state:
        size = input_size or _input_size(learned, class_tokens=0, stride=32)
        return ResNetTokens(input_size=size, dim=_size(state, "1.weight", 384))
    dim, depth = _size(state, "norm.weight", 384), count(state, "blocks.")
    if "patch_embed.proj.0.0.weight" in state:
        patch = 16 if "patch_embed.proj.6.0.weight" in state else 8
        size = input_size or _input_size(learned, class_tokens=1, stride=patch)
        heads = _size(state, "blocks.0.attn.temperature", 8)
        return XCiT(patch=patch, input_size=size, dim=dim, depth=depth, num_heads=heads)
    if "patch_embed.proj.weight" in state:
        from .deit import DeiT  # imports timm

        patch = state["patch_embed.proj.weight"].shape[-1]
        size = input_size or _input_size(state.get("pos_embed"), class_tokens=1, stride=patch)
        return DeiT(patch=patch, input_size=size, dim=dim, depth=depth)
    return None


def _input_size(positions: Tensor | None, *, class_tokens: int, stride: int) -> tuple[int, int]:
    """Return the crop's (height, width) for a table of positions (1, N, D), or that of most published files."""
    return (256, 192) if positions is None else crop_size(positions.shape[1] - class_tokens, stride)


def _learned(encoder: TokenEncoder, dim: int) -> nn.Parameter:
    tokens = encoder.class_tokens + encoder.grid[0] * encoder.grid[1]
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(1, tokens, dim), std=0.02))


def _size(state: Mapping[str, Tensor], key: str, default: int) -> int:
    """Return the length of a tensor, or the published one if it is missing; strict loading then reports the key."""
    return state[key].shape[0] if key in state else default
