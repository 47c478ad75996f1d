"""Pre- and post-processing of each family of detectors and single-stage pose networks.

As in `processing`, published weights are accurate only with the conventions they were trained with: how an image is
fitted into the input, the order and the range of its colours, and the meaning of the output's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from . import crop
from .letterbox import Fit, corner, letterbox, stretch

Array = NDArray[np.float32]
Size = tuple[int, int]
People = tuple[Array, Array, Array]  # boxes (N, 4) xyxy, scores (N,), rows (N, ...) that may hold keypoints

_UNIT = (1 / 255,) * 3
_STRIDES = (8, 16, 32)  # of YOLOX's maps, pixels


@dataclass(frozen=True, slots=True)
class DetectorProcessing:
    """The conventions of one network family.

    Attributes:
        name: in exported files.
        fit: `(image (H, W, 3), size, stride, shape) -> image (h, w, 3), scale (2,), offset (2,)`, as of `letterbox`.
        read: `(outputs, person_class, conf, iou, shape) -> boxes (N, 4) xyxy in pixels of the input, scores (N,), and
            rows (N, 3 K or more)` that end with x, y and score of K keypoints, the most confident person first.
        factors: scale of each channel of 0..255.
        shifts: what is added to each channel after that.
        rgb: whether the channels are red, green and blue, not blue, green and red.
        clips: whether keypoints outside the image are moved to its border, as Ultralytics does.
    """

    name: str
    fit: Callable[..., Fit]
    read: Callable[..., People]
    factors: Sequence[float] = _UNIT
    shifts: Sequence[float] = (0.0, 0.0, 0.0)
    rgb: bool = True
    clips: bool = False

    def prepare(
        self, image: NDArray[np.uint8], *, size: int, stride: int, shape: Size | None
    ) -> tuple[Array, NDArray[np.float64], NDArray[np.int64]]:
        """Prepare an image for the network.

        Args:
            image: (H, W, 3) BGR.
            size: longer side of the input, pixels.
            stride: both sides of the input are multiples of it, where the family allows any shape.
            shape: (height, width) of the input if the network takes only one.

        Returns:
            Images (1, 3, h, w), scale (2,) and offset (2,): point * scale + offset maps a point to the input.
        """
        canvas, scale, offset = self.fit(image, size=size, stride=stride, shape=shape)
        images = np.empty((1, 3, *canvas.shape[:2]), np.float32)
        crop.planes(canvas, images[0], factors=self.factors, shifts=self.shifts, rgb=self.rgb)
        return images, scale, offset


def nms(boxes: NDArray[np.floating], scores: NDArray[np.floating], *, iou: float) -> NDArray[np.intp]:
    """Apply greedy non-maximum suppression.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
        iou: maximum IoU of two kept boxes.

    Returns:
        The kept rows, the most confident first.
    """
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    suppress: Any = cv2.dnn.NMSBoxes  # accepts arrays, unlike its type stubs
    return np.array(suppress(sides, scores, 0.0, iou), dtype=np.intp)


def _corner(image: NDArray[np.uint8], *, size: int, stride: int, shape: Size | None) -> Fit:
    return corner(image, shape=shape or (size, size))


def _stretch(image: NDArray[np.uint8], *, size: int, stride: int, shape: Size | None, smooth: bool) -> Fit:
    return stretch(image, shape=shape or (size, size), smooth=smooth)


def _sorted(boxes: Array, scores: Array, rows: Array, conf: float) -> People:
    """Return the people above a score, the most confident first."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > conf]
    return boxes[order], scores[order], rows[order]


def _suppressed(centers: Array, sizes: Array, scores: Array, rows: Array, iou: float) -> People:
    boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
    kept = nms(boxes, scores, iou=iou)
    return boxes[kept], scores[kept], rows[kept]


def _read_columns(output: Array, *, person_class: int, conf: float, iou: float, shape: Size) -> People:
    """Read (1, 4 + classes + more, A): centers, sizes and class scores."""
    score = 4 + person_class
    rows = output[0][:, output[0][score] > conf].T
    return _suppressed(rows[:, :2], rows[:, 2:4], rows[:, score], rows, iou)


def _read_rows(output: Array, *, person_class: int, conf: float, iou: float, shape: Size) -> People:
    """Read (1, R, 6 + more): final boxes, score and class."""
    rows = output[0][output[0][:, 5] == person_class]
    return _sorted(rows[:, :4], rows[:, 4], rows, conf)


def _read_grid(output: Array, *, person_class: int, conf: float, iou: float, shape: Size, decoded: bool) -> People:
    """Read (1, A, 5 + classes): box, score of any object and of each class; unless decoded, boxes by place and stride.

    Source: YOLOX `demo_postprocess`.
    """
    rows = output[0]
    scores = rows[:, 4] * rows[:, 5 + person_class]
    sure = scores > conf
    centers, sizes = rows[sure, :2], rows[sure, 2:4]
    if not decoded:
        places = [np.stack(np.meshgrid(np.arange(shape[1] // s), np.arange(shape[0] // s)), -1) for s in _STRIDES]
        strides = np.repeat(_STRIDES, [place.size // 2 for place in places])[:, None].astype(np.float32)  # (A, 1)
        if len(strides) != len(rows):
            raise ModelError(
                f"The detector returns {len(rows)} boxes for an input of {shape[1]} x {shape[0]} pixels, but a YOLOX "
                f"has {len(strides)}. Export it with strides of 8, 16 and 32."
            )
        grid = np.concatenate([place.reshape(-1, 2) for place in places]).astype(np.float32)
        with np.errstate(over="ignore"):  # an infinite box ends at the border of the image
            centers, sizes = (centers + grid[sure]) * strides[sure], np.exp(sizes) * strides[sure]
    return _suppressed(centers, sizes, scores[sure], rows[sure], iou)


def _read_mmdet(outputs: Mapping[str, Array], *, person_class: int, conf: float, iou: float, shape: Size) -> People:
    """Read mmdeploy's final boxes and scores (1, N, 5) and labels (1, N)."""
    found, labels = (output[0] for output in outputs.values())
    found = found[labels == person_class]
    return _sorted(found[:, :4], found[:, 4], found, conf)


def _read_relative(outputs: Mapping[str, Array], *, person_class: int, conf: float, iou: float, shape: Size) -> People:
    """Read RF-DETR's boxes (1, Q, 4), centers and sizes relative to the input, and logits (1, Q, classes)."""
    boxes, logits = (output[0] for output in outputs.values())
    scores = (1 + np.tanh(logits[:, person_class] / 2)) / 2  # the sigmoid, which never overflows
    centers, sizes = boxes[:, :2], boxes[:, 2:]
    sides = np.array(shape[::-1] * 2, np.float32)
    corners = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1) * sides
    return _sorted(corners, scores, corners, conf)


def _read_rtmo(outputs: Mapping[str, Array], *, person_class: int, conf: float, iou: float, shape: Size) -> People:
    """Read RTMO's boxes and scores (1, N, 5), and keypoints (1, N, K, 3)."""
    found, keypoints = (output[0] for output in outputs.values())
    sure = found[:, 4] > conf
    found, rows = found[sure], keypoints[sure].reshape(int(sure.sum()), -1)
    kept = nms(found[:, :4], found[:, 4], iou=iou)
    return found[kept, :4], found[kept, 4], rows[kept]


YOLO = DetectorProcessing("yolo", letterbox, _read_columns, clips=True)
YOLO_SHRUNK = replace(YOLO, name="yolo_shrunk", fit=partial(letterbox, shrinks=True))  # the bundled detector
YOLO_FINAL = replace(YOLO, name="yolo_final", read=_read_rows)  # v10 and 26: their rows need no suppression
RT_DETR = DetectorProcessing("rt_detr", partial(_stretch, smooth=True), _read_rows)

# YOLOX takes BGR in 0..255; mmdetection's copy as well, whose export suppresses inside.
YOLOX = DetectorProcessing("yolox", _corner, partial(_read_grid, decoded=False), factors=(1.0, 1.0, 1.0), rgb=False)
YOLOX_DECODED = replace(YOLOX, name="yolox_decoded", read=partial(_read_grid, decoded=True))
YOLOX_FINAL = replace(YOLOX, name="yolox_final", read=_read_mmdet)
RTMO = replace(YOLOX, name="rtmo", read=_read_rtmo)

RF_DETR = DetectorProcessing("rf_detr", partial(_stretch, smooth=False), _read_relative, crop.FACTORS, crop.SHIFTS)
RF_DETR_ROWS = replace(RF_DETR, name="rf_detr_rows", read=_read_rows)  # as `weights.rt_detr` loads it
RTMDET = DetectorProcessing("rtmdet", _corner, _read_mmdet, crop.FACTORS[::-1], crop.SHIFTS[::-1], rgb=False)

DETECTOR_PROCESSINGS = {
    kind.name: kind
    for kind in (
        *(YOLO, YOLO_SHRUNK, YOLO_FINAL, RT_DETR),
        *(YOLOX, YOLOX_DECODED, YOLOX_FINAL, RTMDET, RF_DETR, RF_DETR_ROWS, RTMO),
    )
}
