"""ONNX files with the inputs, outputs and last layers of other projects' networks, and small random weights."""

import importlib.util
import warnings

import torch
from torch import Tensor, nn

CLASSES = 80


class SimCC(nn.Module):
    """RTMPose: a map for each keypoint, and a linear layer for each axis."""

    def __init__(self, keypoints, size):
        super().__init__()
        height, width = size
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 16, 16, stride=16), nn.ReLU(), nn.Conv2d(16, keypoints, 3, padding=1)
        )
        places = (height // 16) * (width // 16)
        self.x, self.y = nn.Linear(places, 2 * width), nn.Linear(places, 2 * height)

    def forward(self, images: Tensor):
        maps = self.backbone(images).flatten(2)
        return self.x(maps), self.y(maps)


class Focus(nn.Module):
    """YOLOX's first layer: the four pixels of a square become channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(12, 8, 3, padding=1)

    def forward(self, images: Tensor):
        parts = [images[..., y::2, x::2] for x in (0, 1) for y in (0, 1)]
        return self.conv(torch.cat(parts, 1)).relu()


class Pyramid(nn.Module):
    """Rows (B, A, channels) of maps with strides of 8, 16 and 32, and their places and strides."""

    def __init__(self, stem, channels):
        super().__init__()
        self.stem = stem
        self.layers = nn.ModuleList([nn.Conv2d(8, channels, s // 2, stride=s // 2) for s in (8, 16, 32)])

    def forward(self, images: Tensor):
        stem = self.stem(images)
        return torch.cat([layer(stem).flatten(2).transpose(1, 2) for layer in self.layers], 1)


def places(height, width):
    """Return centres (A, 2) in steps, and strides (A, 1)."""
    grids, strides = [], []
    for stride in (8, 16, 32):
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        grids.append(torch.stack([x, y], -1).reshape(-1, 2).float())
        strides.append(torch.full((len(grids[-1]), 1), float(stride)))
    return torch.cat(grids), torch.cat(strides)


class YoloX(nn.Module):
    """YOLOX without suppression: box, object and class scores of each place, decoded or not."""

    def __init__(self, size, *, decode=False, classes=CLASSES):
        super().__init__()
        self.rows, self.decode, self.places = Pyramid(Focus(), 5 + classes), decode, places(*size)

    def forward(self, images: Tensor):
        rows = self.rows(images)
        boxes, scores = rows[..., :4], rows[..., 4:].sigmoid()
        if self.decode:
            grid, strides = self.places
            boxes = torch.cat([(boxes[..., :2] + grid) * strides, boxes[..., 2:].exp() * strides], -1)
        return torch.cat([boxes, scores], -1)


class Final(nn.Module):
    """YOLOX or RTMDet as mmdeploy exports them: boxes with scores, and labels, after suppression."""

    def __init__(self, stem, size, *, classes=CLASSES):
        super().__init__()
        self.rows, self.places = Pyramid(stem, 4 + classes), places(*size)

    def forward(self, images: Tensor):
        rows = self.rows(images)[0]
        grid, strides = self.places
        centers, sides = (rows[:, :2] + grid) * strides, (rows[:, 2:4].exp() + 1) * strides
        scores, labels = rows[:, 4:].sigmoid().max(1)
        boxes = torch.cat([centers - sides / 2, centers + sides / 2], 1)
        kept = scores.topk(20).indices  # in place of the suppression
        return torch.cat([boxes, scores[:, None]], 1)[kept][None], labels[kept][None]


class RfDetr(nn.Module):
    """RF-DETR: centers and sizes as shares, and logits of 91 classes, of each query."""

    def __init__(self, size, queries=30, classes=91):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 32, stride=32), nn.ReLU(), nn.Flatten())
        features = 8 * (size[0] // 32) * (size[1] // 32)
        self.boxes, self.logits = nn.Linear(features, queries * 4), nn.Linear(features, queries * classes)
        self.queries = queries

    def forward(self, images: Tensor):
        found = self.backbone(images)
        boxes = self.boxes(found).reshape(-1, self.queries, 4).sigmoid() * 0.8
        return boxes, self.logits(found).reshape(len(images), self.queries, -1)


class Rtmo(nn.Module):
    """RTMO: boxes with scores, and x, y and score of each keypoint."""

    def __init__(self, size, keypoints=17):
        super().__init__()
        self.rows, self.places, self.keypoints = Pyramid(Focus(), 5 + 3 * keypoints), places(*size), keypoints

    def forward(self, images: Tensor):
        rows = self.rows(images)
        grid, strides = self.places
        centers, sides = (rows[..., :2] + grid) * strides, (rows[..., 2:4].exp() + 1) * strides
        points = rows[..., 5:].unflatten(2, (self.keypoints, 3))
        places = points[..., :2] * 10 + centers[:, :, None]
        keypoints = torch.cat([places, points[..., 2:].sigmoid()], -1)
        corners = torch.cat([centers - sides / 2, centers + sides / 2, rows[..., 4:5].sigmoid()], -1)
        return corners, keypoints


def plain_stem():
    """Return RTMDet's first layer, a convolution."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU())


def write(path, network, size, names, *, seed=0, spread=1.0, axes=None, batch=2):
    """Write a network with random weights of a seed; `axes` are open dimensions, as of `torch.onnx.export`."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, spread / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else spread / 4)
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(batch, 3, *size),),
            path,
            dynamo=False,
            input_names=["input"],
            output_names=list(names),
            dynamic_axes=axes,
            opset_version=17,
        )
    return path


def write_simcc(path, keypoints, size=(256, 192), **options):
    """Write an RTMPose as mmdeploy does, which leaves the number of keypoints open."""
    axes = {"input": {0: "batch"}, "simcc_x": {0: "batch", 1: "keypoints"}, "simcc_y": {0: "batch", 1: "keypoints"}}
    return write(path, SimCC(keypoints, size), size, ("simcc_x", "simcc_y"), axes=axes, **options)


def write_yolox(path, size=(64, 96), *, decode=False, **options):
    """Write a YOLOX as its authors do."""
    return write(path, YoloX(size, decode=decode), size, ("output",), batch=1, **options)


def write_final(path, family, size=(64, 96), **options):
    """Write a YOLOX or an RTMDet as mmdeploy does."""
    stem = Focus() if family == "YOLOX" else plain_stem()
    axes = {"input": {0: "batch"}, "dets": {0: "batch", 1: "num_dets"}, "labels": {0: "batch", 1: "num_dets"}}
    return write(path, Final(stem, size, classes=3), size, ("dets", "labels"), axes=axes, batch=1, **options)


def write_rf_detr(path, size=(64, 64), *, classes=91, **options):
    """Write an RF-DETR as rfdetr does."""
    return write(path, RfDetr(size, classes=classes), size, ("dets", "labels"), batch=1, **options)


def write_rtmo(path, size=(64, 96), keypoints=17, *, fixed=False, **options):
    """Write an RTMO as mmdeploy does; `fixed`, for one image at a time."""
    axes = {"input": {0: "batch"}, "dets": {0: "batch", 1: "num_dets"}, "keypoints": {0: "batch", 1: "num_dets"}}
    return write(
        path, Rtmo(size, keypoints), size, ("dets", "keypoints"), axes=None if fixed else axes, batch=1, **options
    )


class MoveNet(nn.Module):
    """MoveNet: y and x as shares of the crop, and score of 17 keypoints of one person."""

    def __init__(self, size):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, 16, stride=16), nn.ReLU(), nn.Flatten(), nn.LazyLinear(51))
        self.backbone(torch.zeros(1, 3, size, size))

    def forward(self, images: Tensor):
        return self.backbone(images.permute(0, 3, 1, 2).float() / 127.5 - 1).sigmoid().reshape(-1, 1, 17, 3)


def write_movenet(path, network=None, size=64, kind=torch.int32):
    """Write a MoveNet as it is converted from TensorFlow: channels last, one image at a time."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            (network or MoveNet(size)).eval(),
            (torch.zeros(1, size, size, 3, dtype=kind),),
            path,
            dynamo=False,
            input_names=["input"],
            output_names=["output_0"],
            opset_version=17,
        )
    return path


def write_published_movenet(path, folder):
    """Write the MoveNet Thunder of a folder, a graph of TensorFlow.js and `movenet.py`, with the usual signature."""
    spec = importlib.util.spec_from_file_location("movenet", folder / "movenet.py")
    movenet = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(movenet)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = movenet.MoveNet()

        def forward(self, images: Tensor):
            return movenet.decode(*self.heads(images.permute(0, 3, 1, 2).float()))[:, None]

    hypot = torch.hypot
    torch.hypot = lambda a, b: (a * a + b * b).sqrt()  # which the exporter lacks
    try:
        return write_movenet(path, Whole(), 256)
    finally:
        torch.hypot = hypot
