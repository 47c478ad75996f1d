"""The pose estimator: crops of all people of a frame, one forward pass, keypoints in the frame's pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ...models import crop
from ...models.find import find
from ...models.keypoints import COCO, Skeleton
from ...models.skeletons import skeleton
from ...models.weights import load_checkpoint
from ..types import Detections, Frame, Poses
from .appearance import looks
from .device import describe, resolve_device


class PoseEstimator:
    """Callable `(frame, detections) -> Poses`.

    Args:
        model: network that answers crops (B, 3, h, w), with attributes
            `input_size` and `processing`.
        device: where it is.
        skeleton: what its K keypoints are.
        name: how it is called in files.
        sha256: of its weights.
        flip: average with the mirrored crop, twice the work for about one point of AP.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        device: torch.device | str = "cpu",
        skeleton: Skeleton = COCO,
        name: str = "",
        sha256: str = "",
        flip: bool = False,
    ) -> None:
        self.device = torch.device(device)
        self.device_name = describe(self.device)
        model.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.model: Any = model.eval()
        self.input_size: tuple[int, int] = self.model.input_size  # type: ignore[assignment]  # networks declare it
        self.skeleton = skeleton
        self.name = name
        self.sha256 = sha256
        self.flip = flip

    def __call__(self, frame: Frame, detections: Detections) -> Poses:
        """Estimate the pose of every detected person, all in one batch."""
        if len(detections) == 0:
            return Poses.empty(len(self.skeleton))
        processing = self.model.processing
        centers, sizes = processing.regions(detections.boxes, self.input_size)
        matrices = processing.matrices(centers, sizes, self.input_size)
        crops = crop.normalize(crop.warp(frame.image, matrices, input_size=self.input_size))
        points, scores, size = self._locate(crops)
        back = crop.invert(processing.matrices(centers, sizes, size))
        return Poses(
            boxes=detections.boxes,
            keypoints=crop.transform(points, back),
            scores=np.clip(scores, 0, 1),
            box_scores=detections.scores,
            features=looks(frame.image, detections.boxes),
        )

    def warm_up(self) -> None:
        """Run once, so that the first frame is no slower than the others."""
        self._locate(np.zeros((1, 3, *self.input_size), dtype=np.float32))

    @torch.inference_mode()
    def _locate(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        images = torch.from_numpy(crops).to(self.device).contiguous(memory_format=torch.channels_last)
        processing, flip_order = self.model.processing, self.skeleton.flip_order if self.flip else None
        return processing.locate(processing.decode, self.model, images, flip_order)


def load_pose_estimator(
    name: str = "bundled",
    *,
    dataset: str = "coco",
    device: str = "auto",
    flip: bool = False,
    offline: bool = False,
) -> PoseEstimator:
    """Load a pose network by name or from a file.

    Args:
        name: a name that `posetrack models` lists, "bundled", or a path.
        dataset: whose keypoints it is to estimate, a name of `skeletons.DATASETS`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        flip: average with the mirrored crop.
        offline: never use the network.

    Raises:
        ModelError: the weights cannot be found or loaded, or are for other keypoints.
        DeviceError: the device is not there.
        UsageError: a name is not known.
    """
    where = resolve_device(device)
    keypoints = skeleton(dataset)
    found = find(name, offline=offline)
    model = load_checkpoint(found.path, where, input_size=found.input_size, dataset=dataset)
    estimator = PoseEstimator(model, device=where, skeleton=keypoints, name=name, sha256=found.sha256, flip=flip)
    estimator.warm_up()
    return estimator
