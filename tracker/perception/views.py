"""Views of annotated people: the keypoints that one network sees in their boxes, plain or mirrored."""

from __future__ import annotations

import re
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry.boxes import iou
from ...models.geometry.crop import PADDING
from ..types import Detections, Frame
from .pose import TopDownPoseEstimator, load_pose_estimator
from .single_stage import SingleStagePoseEstimator

Array = NDArray[np.floating]
View = Callable[[NDArray[np.uint8], Array], Array]  # image (H, W, 3), boxes (N, 4) xyxy -> (N, K, 3) x, y, score

GREY = (114, 114, 114)  # around images, as Ultralytics pads them
MOST_CROPS = 16  # of one batch; 64 at once would need gigabytes in torch
LEAST_CONFIDENCE = 0.05
LEAST_IOU = 0.3  # minimum IoU of the annotated box and the person that a single-stage network finds


def load_view(text: str, *, device: str = "auto", offline: bool = False) -> View:
    """Load a view by its description, `NAME[@SIZE][:mirrored]`.

    Args:
        text: a pose network, as for `load_pose_estimator`; @SIZE is the input size in pixels of a single-stage network.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        offline: never download weights.

    Raises:
        UsageError: the size is not a multiple of 32, or the network has a fixed size.
        ModelError: the weights cannot be found or loaded.
    """
    match = re.fullmatch(r"(?P<name>.+?)(@(?P<size>\d+))?(?P<mirrored>:mirrored)?", text)
    assert match, "every text has a name"
    size = int(match["size"]) if match["size"] else None
    if size is not None and (size == 0 or size % 32):
        raise UsageError(f"'{text}' asks for {size} pixels. Give a multiple of 32, such as 320.")
    network = load_pose_estimator(match["name"], device=device, offline=offline, conf=LEAST_CONFIDENCE, size=size)
    if isinstance(network, SingleStagePoseEstimator):
        view = single_stage_view(network)
    elif size is not None:
        raise UsageError(f"'{text}' gives a size, but {match['name']} has a fixed one. Leave out @{size}.")
    else:
        view = top_down_view(network)
    return mirrored(view, network.skeleton.flip_order) if match["mirrored"] else view


def top_down_view(network: TopDownPoseEstimator) -> View:
    """Return the view of a top-down network."""

    def view(image: NDArray[np.uint8], boxes: Array) -> Array:
        poses = network(Frame(image, index=0, time=0.0), Detections(boxes, np.ones(len(boxes))))
        return _labels(poses.keypoints, poses.scores)

    return view


def single_stage_view(network: SingleStagePoseEstimator) -> View:
    """Return the view of a single-stage network, on a square crop around each box.

    A person's keypoints have score 0 if the network finds no person there.
    """
    size = network.size
    most = 1 if network.network.device.startswith("cpu") else MOST_CROPS  # a processor is no faster with several

    def view(image: NDArray[np.uint8], boxes: Array) -> Array:
        labels = np.zeros((len(boxes), len(network.skeleton), 3))
        scales = size / (PADDING * (boxes[:, 2:] - boxes[:, :2]).max(1))
        shifts = size / 2 - (boxes[:, :2] + boxes[:, 2:]) / 2 * scales[:, None]
        for first in range(0, len(boxes), most):
            rows = range(first, min(first + most, len(boxes)))
            squares = [_square(image, scales[row], shifts[row], size) for row in rows]
            for row, poses in zip(rows, network.of_images(squares), strict=True):
                if not len(poses):
                    continue
                scale, shift = scales[row], shifts[row]
                overlaps = iou((boxes[row] * scale + np.tile(shift, 2))[None], poses.boxes)[0]
                best = int(overlaps.argmax())
                if overlaps[best] >= LEAST_IOU:
                    labels[row] = _labels((poses.keypoints[best] - shift) / scale, poses.scores[best])
        return labels

    return view


def _square(image: NDArray[np.uint8], scale: float, shift: Array, size: int) -> NDArray[np.uint8]:
    """Return the square (size, size, 3) of an image whose point x is at x * scale + shift."""
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = cv2.warpAffine(image, matrix, (size, size), flags=flags, borderValue=GREY)
    return np.asarray(square, dtype=np.uint8)


def mirrored(view: View, flip_order: NDArray[np.integer]) -> View:
    """Return the view of the mirrored image, with left and right exchanged back."""

    def mirrored_view(image: NDArray[np.uint8], boxes: Array) -> Array:
        width = image.shape[1]
        flipped = boxes.copy()
        flipped[:, [0, 2]] = width - boxes[:, [2, 0]]
        labels = view(np.ascontiguousarray(image[:, ::-1]), flipped)[:, flip_order]
        labels[..., 0] = width - 1 - labels[..., 0]
        return labels

    return mirrored_view


def _labels(points: Array, scores: Array) -> Array:
    return np.nan_to_num(np.concatenate([points, scores[..., None]], axis=-1), nan=0.0)
