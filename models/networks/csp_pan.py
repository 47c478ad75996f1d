"""The backbone and neck of YOLOv8: CSP convolutions, and a path aggregation network that fuses their scales.

Layers have the numbers of the published configuration (0 to 21), so that published weights are matched by name. Batch
norms are folded into the convolutions. In training on a few thousand people their statistics would be noisy, and on a
CPU they take a tenth of a training step.

Source: Jocher et al. 2023, YOLOv8 (`yolov8.yaml` and `yolov8-pose.yaml` of Ultralytics).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BASE = (64, 128, 256, 512, 1024)  # channels at stride 2, 4, 8, 16 and 32 at width 1
REPEATS = (3, 6, 6, 3)  # bottlenecks at stride 4, 8, 16 and 32 at depth 1
DEPTH = 1 / 3  # of the nano and small networks
NORM_EPS = 1e-3  # of Ultralytics' batch norms


class Conv(nn.Module):
    """Convolution with bias, then SiLU; the padding keeps the size at stride 1."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.conv(x))


class Bottleneck(nn.Module):
    """Two 3x3 convolutions, with a shortcut in the backbone."""

    def __init__(self, channels: int, *, shortcut: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels, 3)
        self.cv2 = Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    """Cross-stage partial block: half of the channels pass a chain of bottlenecks; all outputs are concatenated."""

    def __init__(self, c_in: int, c_out: int, *, repeats: int, shortcut: bool = False) -> None:
        super().__init__()
        half = c_out // 2
        self.cv1 = Conv(c_in, 2 * half)
        self.cv2 = Conv((2 + repeats) * half, c_out)
        self.m = nn.ModuleList(Bottleneck(half, shortcut=shortcut) for _ in range(repeats))

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.cv1(x).chunk(2, 1))
        for bottleneck in self.m:
            parts.append(bottleneck(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class SPPF(nn.Module):
    """Spatial pyramid pooling, fast: three consecutive 5x5 max poolings, concatenated with the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, stride=1, padding=2))
        return self.cv2(torch.cat(parts, 1))


class CSPPAN(nn.Module):
    """Feature maps at stride 4, 8, 16 and 32 of an image in [0, 1].

    Args:
        width: multiplier of the channels; 0.25 is the nano network: 32, 64, 128 and 256 channels.

    Shapes: (B, 3, H, W) -> (B, C, H / s, W / s) for s in 4, 8, 16, 32, sides rounded up.
    """

    def __init__(self, width: float = 0.25) -> None:
        super().__init__()
        c2, c4, c8, c16, c32 = (round(channels * width) for channels in BASE)
        n4, n8, n16, n32 = (max(1, round(repeats * DEPTH)) for repeats in REPEATS)
        self.channels = (c4, c8, c16, c32)
        self.layers = nn.ModuleDict(
            {
                "0": Conv(3, c2, 3, 2),
                "1": Conv(c2, c4, 3, 2),
                "2": C2f(c4, c4, repeats=n4, shortcut=True),
                "3": Conv(c4, c8, 3, 2),
                "4": C2f(c8, c8, repeats=n8, shortcut=True),
                "5": Conv(c8, c16, 3, 2),
                "6": C2f(c16, c16, repeats=n16, shortcut=True),
                "7": Conv(c16, c32, 3, 2),
                "8": C2f(c32, c32, repeats=n32, shortcut=True),
                "9": SPPF(c32),
                "12": C2f(c32 + c16, c16, repeats=n4),
                "15": C2f(c16 + c8, c8, repeats=n4),
                "16": Conv(c8, c8, 3, 2),
                "18": C2f(c8 + c16, c16, repeats=n4),
                "19": Conv(c16, c16, 3, 2),
                "21": C2f(c16 + c32, c32, repeats=n4),
            }
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        layers = self.layers
        x4 = layers["2"](layers["1"](layers["0"](images)))
        x8 = layers["4"](layers["3"](x4))
        x16 = layers["6"](layers["5"](x8))
        x32 = layers["9"](layers["8"](layers["7"](x16)))
        down16 = layers["12"](_upsample_concat(x32, x16))
        out8 = layers["15"](_upsample_concat(down16, x8))
        out16 = layers["18"](torch.cat([layers["16"](out8), down16], 1))
        out32 = layers["21"](torch.cat([layers["19"](out16), x32], 1))
        return x4, out8, out16, out32

    def freeze(self, layers: int) -> None:
        """Exclude the first layers from training: their features are generic, and their gradients expensive."""
        for number in range(layers):
            self.layers[str(number)].requires_grad_(False)


def rename_published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of a published YOLOv8 to this module's names, and fold its batch norms.

    Args:
        state: keys such as `model.4.m.0.cv1.conv.weight` and `model.4.m.0.cv1.bn.weight`, or without norms and with
            biases if they are folded already. Layers beyond 21, the head, are dropped.

    Returns:
        A state dict for `CSPPAN.load_state_dict`.
    """
    result: dict[str, Tensor] = {}
    for key, kernel in state.items():
        if not (key.startswith("model.") and key.endswith(".conv.weight") and int(key.split(".")[1]) <= 21):
            continue
        layer = key.removesuffix(".conv.weight")
        name = f"layers.{layer.removeprefix('model.')}.conv"
        if f"{layer}.bn.weight" in state:
            mean, variance, scale, shift = (
                state[f"{layer}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
            )
            scale = scale / (variance + NORM_EPS).sqrt()
            kernel, bias = kernel * scale[:, None, None, None], shift - mean * scale
        else:
            bias = state[f"{layer}.conv.bias"]
        result |= {f"{name}.weight": kernel, f"{name}.bias": bias}
    return result


def _upsample_concat(coarse: Tensor, fine: Tensor) -> Tensor:
    """Upsample a map by 2 and concatenate it with a finer one, whose sides may be odd."""
    height, width = fine.shape[2:]
    return torch.cat([F.interpolate(coarse, scale_factor=2.0, mode="nearest")[:, :, :height, :width], fine], 1)
