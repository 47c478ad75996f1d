"""ResNet-50 (He et al. 2016) without its classifier, with the stride in the 3x3 convolution, as torchvision has it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; (B, C, H, W) -> (B, 4 width, H / stride, W / stride)."""

    def __init__(self, c_in: int, width: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or c_in != 4 * width:
            convolution = nn.Conv2d(c_in, 4 * width, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(nn.Module):
    """Features at 1/32 of the resolution; (B, 3, H, W) -> (B, 2048, H / 32, W / 32).

    Args:
        depths: bottlenecks in each of the four stages.
    """

    def __init__(self, *, depths: tuple[int, int, int, int] = (3, 4, 6, 3)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, depth=depths[0], stride=1)
        self.layer2 = _stage(256, 128, depth=depths[1], stride=2)
        self.layer3 = _stage(512, 256, depth=depths[2], stride=2)
        self.layer4 = _stage(1024, 512, depth=depths[3], stride=2)

    def forward(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, stride=2, padding=1)  # (B, 64, H/4, W/4)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class ResNetTokens(nn.Sequential):
    """ResNet-50's places as tokens, without a class token; (B, 3, H, W) -> (B, N, D).

    Args:
        input_size: (height, width) of the image in pixels.
        dim: width D.
    """

    class_tokens = 0

    def __init__(self, *, input_size: tuple[int, int] = (256, 192), dim: int = 384) -> None:
        super().__init__(ResNet(), nn.Conv2d(2048, dim, 1))
        self.input_size = input_size
        self.dim = dim
        self.grid = (input_size[0] // 32, input_size[1] // 32)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).flatten(2).transpose(1, 2)


def _stage(c_in: int, width: int, *, depth: int, stride: int) -> nn.Sequential:
    first = Bottleneck(c_in, width, stride=stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width) for _ in range(depth - 1)))
