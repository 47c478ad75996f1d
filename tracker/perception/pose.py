"""The pose estimator: crops of all people of a frame, one forward pass, keypoints in the frame's pixels."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from ...errors import ModelError
from ...models.geometry import crop
from ...models.geometry.processing import PROCESSINGS
from ...models.geometry.skeletons import skeleton
from ...models.weights.card import PoseCard
from ..types import Detections, Frame, Poses
from .appearance import looks
from .runtimes import Runtime
from .runtimes.load import load_runtime
from .runtimes.store import Loaded


class PoseEstimator:
    """Callable `(frame, detections) -> Poses`; as many threads may ask at once as the network has streams.

    Args:
        network: answers crops (B, 3, h, w).
        card: what it wants and what its answer means.
        name: how it is called in files.
        flip: average with the mirrored crop, twice the work for about one point of AP.
    """

    def __init__(self, network: Runtime, card: PoseCard, *, name: str = "", flip: bool = False) -> None:
        self.network = network
        self.input_size = card.input_size
        self.processing = PROCESSINGS[card.processing]
        self.family = card.family
        self.skeleton = skeleton(card.skeleton)
        self.name = name
        self.sha256 = card.sha256
        self.flip = flip
        self._place = threading.local()  # .crops: of the last batch, for each thread

    def __call__(self, frame: Frame, detections: Detections) -> Poses:
        """Estimate the pose of every detected person, all in one batch."""
        return self.of_frames([(frame, detections)])[0]

    def of_frames(self, seen: Sequence[tuple[Frame, Detections]]) -> list[Poses]:
        """Estimate the poses of the people of several frames, all in one batch."""
        ends = [0, *accumulate(len(detections) for _, detections in seen)]
        if ends[-1] == 0:
            return [Poses.empty(len(self.skeleton)) for _ in seen]
        processing = self.processing
        boxes = np.concatenate([detections.boxes for _, detections in seen])
        centers, sizes = processing.regions(boxes, self.input_size)
        matrices = processing.matrices(centers, sizes, self.input_size)
        crops, people = self._batch(len(boxes)), [slice(*pair) for pair in pairwise(ends)]
        for (frame, _), rows in zip(seen, people, strict=True):
            crop.normalize(processing.warp(frame.image, matrices[rows], input_size=self.input_size), crops[rows])
        flip_order = self.skeleton.flip_order if self.flip else None
        points, scores, size = processing.locate(processing.decode, self.network, crops, flip_order)
        keypoints = crop.transform(points, crop.invert(processing.matrices(centers, sizes, size)))
        scores = np.minimum(np.maximum(scores, 0), 1)
        return [
            Poses(
                boxes=detections.boxes,
                keypoints=keypoints[rows],
                scores=scores[rows],
                box_scores=detections.scores,
                features=looks(frame.image, detections.boxes),
            )
            for (frame, detections), rows in zip(seen, people, strict=True)
        ]

    def _batch(self, n: int) -> np.ndarray:
        """Return this thread's place for n crops, the same memory from frame to frame."""
        crops: np.ndarray | None = getattr(self._place, "crops", None)
        if crops is None or len(crops) < n:
            crops = self._place.crops = np.empty((n, 3, *self.input_size), np.float32)
        return crops[:n]


def load_pose_estimator(
    name: str = "bundled",
    *,
    dataset: str = "coco",
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    flip: bool = False,
    streams: int = 1,
    offline: bool = False,
) -> PoseEstimator:
    """Load a pose network by name or from a file.

    Args:
        name: a name that `posetrack models` lists, "bundled", or a path of weights or of an exported network.
        dataset: whose keypoints it is to estimate, a name of `skeletons.DATASETS`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        runtime: `auto`, `torch`, `openvino` or `onnxruntime`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        flip: average with the mirrored crop.
        streams: how many frames are to be worked at at once, by as many threads.
        offline: never use the network.

    Raises:
        ModelError: the weights cannot be found or loaded, or are for other keypoints.
        DeviceError: the device or the runtime is not there.
        UsageError: a name is not known.
    """
    skeleton(dataset)  # before anything is loaded
    network, card = load_runtime(
        "pose",
        name,
        lambda: read_pose_weights(name, dataset=dataset, offline=offline),
        variant=dataset,
        runtime=runtime,
        device=device,
        precision=precision,
        streams=streams,
    )
    assert isinstance(card, PoseCard)
    if card.skeleton != dataset:
        raise ModelError(f"{name} estimates the keypoints of {card.skeleton}, not {dataset}. Give that --dataset.")
    return PoseEstimator(network, card, name=name, flip=flip)


def read_pose_weights(name: str, *, dataset: str = "coco", offline: bool = False) -> Loaded:
    """Read the weights of a pose network with torch.

    Raises:
        ModelError: the weights cannot be found or loaded, or are for other keypoints.
    """
    from ...models.weights.checkpoint import load_checkpoint
    from ...models.weights.find import find

    found = find(name, offline=offline)
    network: Any = load_checkpoint(found.path, input_size=found.input_size, dataset=dataset)
    card = PoseCard(
        input_size=network.input_size,
        processing=network.processing.name,
        family=type(network).__name__,
        skeleton=dataset,
        sha256=found.sha256,
    )
    return Loaded(found.path, network, card)
