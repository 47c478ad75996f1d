"""Residual blocks; ResNet-50 (He et al. 2016) of timm for POTR; its first half, ResNet-S, for TransPose-R.

A backbone is a dict of consecutive layers. TransPose registers them as its own submodules, to match the names in the
original's checkpoints.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut; (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a shortcut; (B, C, H, W) -> (B, 4 width, H / stride, W / stride).

    The 3x3 convolution has the stride (torchvision's "v1.5"), not the first 1x1.
    """

    def __init__(self, channels: int, *, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.downsample(x) + self.bn3(self.conv3(y)))


def bottlenecks(channels: int, *, width: int, count: int, stride: int = 1) -> nn.Sequential:
    """Return a stage of bottlenecks, the first of which changes the width and the resolution."""
    first = Bottleneck(channels, width=width, stride=stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width=width) for _ in range(count - 1)))


def resnet_s() -> dict[str, nn.Module]:
    """Return the layers (B, 3, H, W) -> (B, 512, H / 8, W / 8): a ResNet-50 without its last two stages."""
    return {
        "conv1": nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
        "bn1": nn.BatchNorm2d(64),
        "relu": nn.ReLU(),
        "maxpool": nn.MaxPool2d(3, stride=2, padding=1),
        "layer1": bottlenecks(64, width=64, count=3),
        "layer2": bottlenecks(256, width=128, count=4, stride=2),
    }


class ResNetTokens(nn.Sequential):
    """The pixels of ResNet-50's last feature map as tokens, no class token; (B, 3, H, W) -> (B, N, D).

    Args:
        input_size: (height, width) of the image in pixels.
        dim: width D.
    """

    class_tokens = 0

    def __init__(self, *, input_size: tuple[int, int] = (256, 192), dim: int = 384) -> None:
        import timm  # slow to import, and not needed by TransPose

        backbone = timm.create_model("resnet50", num_classes=0, global_pool="", zero_init_last=False)
        super().__init__(backbone, nn.Conv2d(2048, dim, 1))
        self.input_size = input_size
        self.dim = dim
        self.grid = (input_size[0] // 32, input_size[1] // 32)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).flatten(2).transpose(1, 2)
