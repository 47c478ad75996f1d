"""Pose networks with any timm backbone and the head of a published family.

This module, and with it timm, is imported only to train with `network.variant = "timm"` and to load such networks.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import timm
import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn

from ...errors import ModelError, UsageError
from ..cache import is_offline
from ..geometry.crop import MEAN, STD
from ..geometry.processing import UDP
from .convvit import Fusion
from .initialisation import start_near_zero
from .transpose import Encoder, sine_positions
from .vitpose import ClassicHead, SimpleHead

FETCH = "timm"  # instead of a file: timm's pre-trained weights
STRIDE = 16  # maximum stride of the features that a head reads


class TransPoseHead(nn.Module):
    """TransPose's encoder over all pixels, then ViTPose's deconvolutions; (B, C, h, w) -> (B, K, 4h, 4w)."""

    def __init__(self, channels: int, *, grid: tuple[int, int], num_keypoints: int, dim: int = 256) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, dim, 1, bias=False)
        self.pos_embedding = nn.Parameter(sine_positions(grid, dim), requires_grad=False)
        self.global_encoder = Encoder(dim, depth=4, ffn=1024, num_heads=8, dropout=0.1)
        self.maps = ClassicHead(dim, num_keypoints=num_keypoints)

    def forward(self, features: Tensor) -> Tensor:
        x = self.reduce(features)
        tokens, _ = self.global_encoder(
            x.flatten(2).permute(2, 0, 1), self.pos_embedding, need_weights=False
        )  # (L, B, D)
        return self.maps(tokens.permute(1, 2, 0).unflatten(2, x.shape[2:]))


class FusionHead(nn.Module):
    """The decoder of the bundled network: upsamples features at stride 16 and adds those at 8 and 4.

    (B, C, h, w), (B, C8, 2h, 2w), (B, C4, 4h, 4w) -> (B, K, 4h, 4w).
    """

    def __init__(self, channels: int, c8: int, c4: int, *, num_keypoints: int, widths: tuple[int, int] = (128, 64)):
        super().__init__()
        self.fuse8 = Fusion(channels, c8, widths[0])
        self.fuse4 = Fusion(widths[0], c4, widths[1])
        self.final_layer = nn.Conv2d(widths[1], num_keypoints, 1)
        start_near_zero(self.final_layer)

    def forward(self, features: Tensor, x8: Tensor, x4: Tensor) -> Tensor:
        return self.final_layer(self.fuse4(self.fuse8(features, x8), x4))


HEADS = ("classic", "simple", "transpose", "bundled")


class TimmPose(nn.Module):
    """Heat maps of K keypoints from a person crop; (B, 3, H, W) -> (B, K, H / 4, W / 4) for features at stride 16.

    Args:
        backbone: a name of `timm.list_models()`.
        head: one of `HEADS`: ViTPose's two, TransPose's encoder, or the bundled network's decoder, which needs
            features at strides 4, 8 and 16.
        input_size: (height, width) of the crop in pixels.
        num_keypoints: K.
        drop_path: stochastic depth of the last block while training.
        pretrained: a file of weights for the backbone, `timm` for timm's, or empty for random ones.

    Raises:
        UsageError: the backbone or the head is unknown, or they do not fit together.
        ModelError: the pre-trained weights cannot be downloaded or read.
    """

    processing = UDP

    def __init__(
        self,
        *,
        backbone: str,
        head: str = "classic",
        input_size: tuple[int, int] = (256, 192),
        num_keypoints: int = 17,
        drop_path: float = 0.0,
        pretrained: str = "",
    ) -> None:
        super().__init__()
        self.input_size, self.num_keypoints = input_size, num_keypoints
        self.notes = {"backbone": backbone, "head": head, "keypoints": str(num_keypoints)}
        if head not in HEADS:
            raise UsageError(f"The head '{head}' is unknown; choose one of {', '.join(HEADS)}.")
        options: dict[str, Any] = {"drop_path_rate": drop_path} if drop_path else {}
        with torch.device("meta"):
            known = _create(backbone, input_size, **options).feature_info
        strides = known.reduction()
        rows = [_last(strides, STRIDE)]
        if head == "bundled":
            if not {4, 8, 16} <= set(strides):
                raise UsageError(
                    f"The head 'bundled' needs features at strides 4, 8 and 16, but {backbone} has them at "
                    f"{', '.join(map(str, sorted(set(strides))))}. Choose the head classic, simple or transpose."
                )
            rows = [_last(strides, 4), _last(strides, 8), *rows]
        self.channels = [known.channels()[row] for row in rows]
        stride = strides[rows[-1]]
        if input_size[0] % stride or input_size[1] % stride:
            raise UsageError(
                f"network.input_size is {list(input_size)}, but {backbone} needs multiples of {stride}. Change it."
            )
        options |= _weights(pretrained)
        self.backbone = _create(backbone, input_size, out_indices=tuple(rows), **options)
        self.norm = LayerNorm2d(self.channels[-1])
        self.keypoint_head: nn.Module
        match head:
            case "classic":
                self.keypoint_head = ClassicHead(self.channels[-1], num_keypoints=num_keypoints)
            case "simple":
                self.keypoint_head = SimpleHead(self.channels[-1], num_keypoints=num_keypoints)
            case "transpose":
                grid = input_size[0] // stride, input_size[1] // stride
                self.keypoint_head = TransPoseHead(self.channels[-1], grid=grid, num_keypoints=num_keypoints)
            case _:
                self.keypoint_head = FusionHead(self.channels[-1], *self.channels[-2::-1], num_keypoints=num_keypoints)
        mean, std = _normalisation(backbone)
        self.scale: Tensor  # crops are normalised by ImageNet's statistics; some backbones were trained with others
        self.shift: Tensor
        self.register_buffer("scale", torch.from_numpy(STD).flatten()[:, None, None] / std, persistent=False)
        self.register_buffer("shift", (torch.from_numpy(MEAN).flatten()[:, None, None] - mean) / std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        features = self.backbone(images * self.scale + self.shift)
        maps = [_channels_first(x, channels) for x, channels in zip(features, self.channels, strict=True)]
        return self.keypoint_head(self.norm(maps[-1]), *maps[-2::-1])


def from_notes(notes: Mapping[str, str], input_size: tuple[int, int], label: str) -> TimmPose:
    """Build the network that a file's metadata describes, with random weights.

    Raises:
        ModelError: the installed timm has no such backbone, or the metadata is incomplete.
    """
    try:
        backbone, head, count = notes["backbone"], notes["head"], int(notes["keypoints"])
        return TimmPose(backbone=backbone, head=head, input_size=input_size, num_keypoints=count)
    except (KeyError, ValueError, UsageError) as error:
        raise ModelError(f"Cannot build the network of {label} with timm {timm.__version__}: {error}") from error


def _create(name: str, input_size: tuple[int, int], **options: Any) -> Any:
    """Build a backbone that outputs its intermediate features."""
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=1)
        hint = f"Did you mean {near[0]}?" if near else "`timm.list_models()` lists them."
        raise UsageError(f"timm {timm.__version__} has no backbone '{name}'. {hint}")
    try:
        try:
            return timm.create_model(name, features_only=True, img_size=input_size, **options)
        except TypeError:  # convolutional networks take images of any size
            return timm.create_model(name, features_only=True, **options)
    except Exception as error:  # timm's errors have no common class
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if options.get("pretrained"):
            raise ModelError(
                f"Cannot load pre-trained weights into {name}: {reason}. Check network.pretrained."
            ) from error
        raise UsageError(f"timm cannot build {name} for features at {list(input_size)}: {reason}.") from error


def _weights(pretrained: str) -> dict[str, Any]:
    """Return the options of `timm.create_model` for pre-trained weights."""
    if not pretrained:
        return {}
    if pretrained != FETCH:
        return {"pretrained": True, "pretrained_cfg_overlay": {"file": pretrained}}
    if is_offline():
        raise ModelError("posetrack is offline, so timm cannot download weights. Give a file in network.pretrained.")
    return {"pretrained": True}


def _last(strides: list[int], maximum: int) -> int:
    """Return the last row with the largest stride up to `maximum`."""
    fitting = [stride for stride in strides if stride <= maximum]
    if not fitting:
        raise UsageError(
            f"The backbone's features are at stride {min(strides)} or more, but the head needs {maximum} or less. "
            "Choose another backbone."
        )
    return max(row for row, stride in enumerate(strides) if stride == max(fitting))


def _normalisation(name: str) -> tuple[Tensor, Tensor]:
    """Return the mean and standard deviation (3, 1, 1) of a backbone's training images."""
    config = timm.get_pretrained_cfg(name)
    mean, std = (config.mean, config.std) if config else (MEAN, STD)
    return tuple(torch.tensor(list(map(float, values)))[:, None, None] for values in (mean, std))  # type: ignore[return-value]


def _channels_first(x: Tensor, channels: int) -> Tensor:
    """Return features as (B, C, h, w); Swin and similar networks have the channels last."""
    return x if x.shape[1] == channels else x.permute(0, 3, 1, 2)
