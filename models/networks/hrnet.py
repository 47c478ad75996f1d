"""HRNet-S (Sun et al. 2019, without the fourth stage): the backbone of TransPose-H, with output at stride 4.

Branches at stride 4, 8 and 16 run in parallel and exchange features after every module. Modules therefore pass a list
of maps, the finest first: `list[(B, C 2^i, H / 2^i, W / 2^i)]`.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from .resnet import BasicBlock, bottlenecks

Maps = list[Tensor]


def _conv(c_in: int, c_out: int, *, kernel: int = 3, stride: int = 1, relu: bool = True) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), *([nn.ReLU()] if relu else []))


class Transition(nn.ModuleList):
    """Add a branch at half the resolution of the coarsest one."""

    def forward(self, maps: Tensor | Maps) -> Maps:
        maps = [maps] if isinstance(maps, Tensor) else maps
        return [layer(maps[min(i, len(maps) - 1)]) for i, layer in enumerate(self)]


def _exchange(widths: list[int], source: int, target: int) -> nn.Module:
    """Return the layers that convert the map of one branch to the resolution and width of another."""
    if source == target:
        return nn.Identity()
    if source > target:
        upsample = nn.Upsample(scale_factor=2.0 ** (source - target), mode="nearest")
        return nn.Sequential(*_conv(widths[source], widths[target], kernel=1, relu=False), upsample)
    steps = [_conv(widths[source], widths[source], stride=2) for _ in range(target - source - 1)]
    return nn.Sequential(*steps, _conv(widths[source], widths[target], stride=2, relu=False))


class Sum(nn.ModuleList):
    """Sum the maps of all branches, each converted by its own layers to one branch."""

    def forward(self, maps: Maps) -> Tensor:
        total, *rest = (layer(x) for layer, x in zip(self, maps, strict=True))
        for x in rest:
            total = total + x
        return F.relu(total)


class Module(nn.Module):
    """Four basic blocks per branch, then the exchange: each output is the sum over all branches.

    Args:
        widths: channels of the branches.
        outputs: number of output branches; 1, the finest, for the last module of the network.
    """

    def __init__(self, widths: list[int], *, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(c) for _ in range(4))) for c in widths)
        self.fuse_layers = nn.ModuleList(
            Sum(_exchange(widths, source, target) for source in range(len(widths))) for target in range(outputs)
        )

    def forward(self, maps: Maps) -> Maps:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        return [fuse(maps) for fuse in self.fuse_layers]


class HighestResolution(nn.Module):
    """Select the map of the highest resolution."""

    def forward(self, maps: Maps) -> Tensor:
        return maps[0]


def hrnet_s(width: int) -> dict[str, nn.Module]:
    """Return the layers (B, 3, H, W) -> (B, width, H / 4, W / 4).

    Args:
        width: channels C of the finest branch, 32 or 48 in HRNet-W32 and -W48.
    """
    a, b, c = widths = [width, 2 * width, 4 * width]
    return {
        "conv1": nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False),
        "bn1": nn.BatchNorm2d(64),
        "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(64, 64, 3, stride=2, padding=1, bias=False),
        "bn2": nn.BatchNorm2d(64),
        "relu2": nn.ReLU(),
        "layer1": bottlenecks(64, width=64, count=4),
        "transition1": Transition([_conv(256, a), nn.Sequential(_conv(256, b, stride=2))]),
        "stage2": nn.Sequential(Module([a, b], outputs=2)),
        "transition2": Transition([nn.Identity(), nn.Identity(), nn.Sequential(_conv(b, c, stride=2))]),
        "stage3": nn.Sequential(*(Module(widths, outputs=outputs) for outputs in (3, 3, 3, 1))),
        "finest": HighestResolution(),
    }
