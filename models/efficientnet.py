"""EfficientNet-Lite0: the small backbone that was trained on ImageNet, with which the bundled networks begin.

Tan & Le 2019, "EfficientNet", and Google's Lite variant of it (2020): inverted residual blocks (Sandler et al. 2018)
without squeeze-and-excitation, with ReLU6, and a stem of fixed width, made for processors.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

# (kernel, stride, expansion, channels, blocks) of each stage; the stem before them has stride 2.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
)
STEM = 32
OUTPUTS = (1, 2, 4, 5)  # the last stages at stride 4, 8, 16 and 32


def channels(stage: int, *, width: float = 1.0) -> int:
    """Return the channels of a stage whose published number is multiplied by `width`, in steps of 8."""
    return max(8, round(STAGES[stage][3] * width / 8) * 8)


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation and, by choice, ReLU6."""

    def __init__(
        self, c_in: int, c_out: int, *, kernel: int = 1, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(c_out, eps=1e-3)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return F.relu6(x) if self.relu else x


class InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, filter each channel, narrow; added to the input where the shapes agree."""

    def __init__(self, c_in: int, c_out: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        c = c_in * expansion
        self.expand = ConvNorm(c_in, c) if expansion > 1 else nn.Identity()
        self.filter = ConvNorm(c, c, kernel=kernel, stride=stride, groups=c)
        self.project = ConvNorm(c, c_out, relu=False)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.filter(self.expand(x)))
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """The six stages of EfficientNet-Lite0 up to stride 32; 2.4 M parameters.

    The seventh stage and the classifier, which hold two more millions, serve to name pictures and are left away.

    Args:
        width: multiplier of every stage's channels; only 1 has published weights.

    Shapes: (B, 3, H, W) -> maps of 24, 40, 112 and 192 channels at stride 4, 8, 16 and 32, sides rounded up.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.frozen = 0
        self.channels = [channels(stage, width=width) for stage in OUTPUTS]
        self.stem = ConvNorm(3, STEM, kernel=3, stride=2)
        self.stages = nn.ModuleList()
        c = STEM
        for s, (kernel, stride, expansion, _, blocks) in enumerate(STAGES):
            stage = nn.Sequential()
            for i in range(blocks):
                first, c_out = stride if i == 0 else 1, channels(s, width=width)
                stage.append(InvertedResidual(c, c_out, kernel=kernel, stride=first, expansion=expansion))
                c = c_out
            self.stages.append(stage)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.stem(images)
        maps = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in OUTPUTS:
                maps.append(x)
        return maps

    def freeze(self, stages: int) -> None:
        """Keep the stem and the first stages as they are: no gradients, and the statistics of what they learnt on."""
        self.frozen = stages
        for part in (self.stem, *self.stages[:stages]):
            part.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if self.frozen:
            for part in (self.stem, *self.stages[: self.frozen]):
                part.eval()
        return self

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution, for a network in evaluation mode."""
        for module in self.modules():
            if isinstance(module, ConvNorm) and isinstance(module.norm, nn.BatchNorm2d):
                module.conv = fuse_conv_bn_eval(module.conv, module.norm)
                module.norm = nn.Identity()


def from_published(state: dict[str, Tensor], *, mean: Tensor, std: Tensor) -> dict[str, Tensor]:
    """Bring the published weights, in their PyTorch layout, to this module's names and to another normalisation.

    The published network takes (RGB - 127) / 128. Its first convolution is changed to take (RGB / 255 - mean) / std.

    Args:
        state: keys such as `_blocks.3._expand_conv.weight`.
        mean: (3,) RGB, of pictures in [0, 1].
        std: (3,).

    Returns:
        What `EfficientNetLite.load_state_dict` takes. The constant part of the change of normalisation stands in the
        running mean that follows the convolution; at the padded border it is off by less than a grey level.
    """
    places = [(s, i) for s, (*_, blocks) in enumerate(STAGES) for i in range(blocks)]
    result: dict[str, Tensor] = {}
    for block, (s, i) in enumerate(places):
        convs = ("expand", "filter", "project") if STAGES[s][2] > 1 else ("filter", "project")
        source = {"expand": "_expand_conv", "filter": "_depthwise_conv", "project": "_project_conv"}
        for n, part in enumerate(convs):
            target = f"stages.{s}.{i}.{part}"
            result[f"{target}.conv.weight"] = state[f"_blocks.{block}.{source[part]}.weight"]
            # The first normalisation of a block without expansion is its second by name.
            number = n + 3 - len(convs)
            result |= _norm(state, f"_blocks.{block}._bn{number}", target)
    kernel = state["_conv_stem.weight"]
    result |= _norm(state, "_bn0", "stem")
    result["stem.conv.weight"] = kernel * (std * 255 / 128).view(1, 3, 1, 1)
    constant = (kernel * ((mean * 255 - 127) / 128).view(1, 3, 1, 1)).sum((1, 2, 3))
    result["stem.norm.running_mean"] = result["stem.norm.running_mean"] - constant
    return result


def _norm(state: dict[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{target}.norm.{part}": state.get(f"{source}.{part}", torch.zeros((), dtype=torch.long)) for part in parts}
