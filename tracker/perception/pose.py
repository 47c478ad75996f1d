"""The top-down pose estimator: crops of all people in one batch, keypoints in the frame's pixels."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError, UsageError
from ...installation import library
from ...models.geometry import crop
from ...models.geometry.processing import PROCESSINGS
from ...models.geometry.skeletons import AUTO, fitting, skeleton
from ...models.weights.card import PoseCard, SingleStageCard
from ..types import Detections, Frame, Poses
from . import detector
from .appearance import appearance_vectors
from .cropping import cropper_for
from .outputs import reading_outputs
from .runtimes import Runtime
from .runtimes.load import load_runtime
from .runtimes.store import Loaded
from .single_stage import SingleStagePoseEstimator, is_single_stage, read_single_stage_weights

BUNDLED = "pose.safetensors"  # in posetrack.models.weights.bundled
MOST_CROPS = 64  # of one batch; 3,000 at once would need 18 GB of memory


class TopDownPoseEstimator:
    """Callable `(frame, detections) -> Poses`, safe to call from as many threads as the network has streams.

    Args:
        network: inference backend; takes crops (B, 3, h, w).
        card: input and output conventions of the network.
        name: name of the estimator in output files.
        flip: average with the mirrored crop; twice the work for about one point of AP.

    Attributes:
        cropper: cuts the crops; `cropper_for` chooses where.
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
        self.cropper = cropper_for(network, self.processing, self.input_size)

    def __call__(self, frame: Frame, detections: Detections) -> Poses:
        """Estimate the pose of each detected person, all in one batch."""
        return self.of_frames([(frame, detections)])[0]

    def of_frames(self, batch: Sequence[tuple[Frame, Detections]]) -> list[Poses]:
        """Estimate the poses of the people in several frames, all in one batch, or in several of `MOST_CROPS`."""
        ends = [0, *accumulate(len(detections) for _, detections in batch)]
        if ends[-1] == 0:
            return [Poses.empty(len(self.skeleton)) for _ in batch]
        processing = self.processing
        boxes = np.concatenate([detections.boxes for _, detections in batch])
        centers, sizes = processing.regions(boxes, self.input_size)
        matrices = processing.matrices(centers, sizes, input_size=self.input_size)
        people = [slice(*pair) for pair in pairwise(ends)]
        flip_order = self.skeleton.flip_order if self.flip else None
        cropper = self.cropper
        images = [cropper.upload(frame.image) if len(detections) else None for frame, detections in batch]
        found = []
        for first in range(0, len(boxes), MOST_CROPS):
            last = min(first + MOST_CROPS, len(boxes))
            crops = cropper.buffer(last - first)
            for image, rows in zip(images, people, strict=True):
                start, stop = max(rows.start, first), min(rows.stop, last)
                if start < stop:
                    cropper.cut(image, matrices[start:stop], crops[start - first : stop - first])
            with reading_outputs():
                points, scores, size = processing.locate(self.network, crops, flip_order=flip_order)
                if scores.shape != (last - first, len(self.skeleton)):
                    raise ValueError(f"the scores of {len(self.skeleton)} keypoints have the shape {scores.shape}")
            found.append((points, scores))
        points, scores = (np.concatenate(parts) for parts in zip(*found))
        keypoints = crop.transform(points, crop.invert(processing.matrices(centers, sizes, input_size=size)))
        scores = np.minimum(np.maximum(scores, 0), 1)
        return [
            Poses(
                boxes=detections.boxes,
                keypoints=keypoints[rows],
                scores=scores[rows],
                box_scores=detections.scores,
                features=appearance_vectors(
                    frame.image, detections.boxes, keypoints[rows], scores[rows], self.skeleton
                ),
            )
            for (frame, detections), rows in zip(batch, people, strict=True)
        ]


_NO_FLIP = "Leave it out, or give --no-flip if a recipe sets it."


def load_pose_estimator(
    name: str = "bundled",
    *,
    dataset: str = AUTO,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    flip: bool = False,
    conf: float | None = None,
    size: int | None = None,
    max_people: int | None = None,
    streams: int = 1,
    offline: bool = False,
) -> TopDownPoseEstimator | SingleStagePoseEstimator:
    """Load a pose network by name or from a file.

    Args:
        name: a name that `posetrack models` lists, "bundled", or the path of weights, of an exported network or of an
            ONNX file of another project (see `models.foreign`); a ViTPose of transformers, a folder or a repository of
            the hub such as `usyd-community/vitpose-base`; or a single-stage network of Ultralytics, a file or a
            published name such as `yolo11n-pose.pt`.
        dataset: dataset whose keypoints are estimated, a name of `skeletons.SKELETONS`; or "auto": the network's own.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        runtime: inference backend: `auto`, `torch`, `openvino` or `onnxruntime`.
        precision: numeric precision: `auto`, `fp32`, `bf16` or `fp16`.
        flip: average with the mirrored crop; not for MoveNet or a single-stage network.
        conf: for a single-stage network: minimum score of a person; None for 0.25.
        size: for a single-stage network: longer side of its input, pixels; None for the size used in training.
        max_people: for a single-stage network: maximum number of people per frame; None for no limit.
        streams: number of frames processed concurrently, each by its own thread.
        offline: never download weights.

    Raises:
        ModelError: the weights cannot be found or loaded, or are for other keypoints.
        DeviceError: the device or the runtime is not available.
        UsageError: a name is unknown, or `flip` is set for MoveNet or a single-stage network.
    """
    if dataset != AUTO:
        skeleton(dataset)  # fails early on an unknown name
    network, card = load_runtime(
        "pose",
        name,
        lambda: read_pose_weights(name, dataset=dataset, offline=offline),
        shipped=Path(str(files("posetrack.models.weights.bundled") / BUNDLED)) if name == "bundled" else None,
        dataset=dataset,
        runtime=runtime,
        device=device,
        precision=precision,
        streams=streams,
    )
    assert isinstance(card, PoseCard | SingleStageCard)
    if dataset not in (AUTO, card.skeleton):
        raise ModelError(
            f"{name} estimates the keypoints of {card.skeleton}, not {dataset}. Give --dataset {card.skeleton}."
        )
    if isinstance(card, PoseCard):
        if flip and not PROCESSINGS[card.processing].mirrors:
            raise UsageError(f"{name} is a {card.family}, which mirrored crops do not make more accurate. {_NO_FLIP}")
        return TopDownPoseEstimator(network, card, name=name, flip=flip)
    if flip:
        raise UsageError(f"--flip mirrors crops of people, but {name} takes whole frames. {_NO_FLIP}")
    conf = 0.25 if conf is None else conf
    return SingleStagePoseEstimator(network, card, name=name, conf=conf, size=size, max_people=max_people)


def read_pose_weights(name: str, *, dataset: str = AUTO, offline: bool = False) -> Loaded:
    """Read the weights of a pose network with torch.

    Raises:
        ModelError: the weights cannot be found or loaded, or are for other keypoints.
        UsageError: the name is unknown.
        PosetrackError: torch is not installed.
    """
    from ...models.weights.locate import check_name, locate_weights

    published = Path(name).match("yolo*-pose.pt")  # unless there is such a file
    if not published:
        check_name(name)
    library("torch", f"The pose network '{name}'", extra="full")
    from ...models.weights.checkpoint import load_checkpoint

    if published:
        return read_single_stage_weights(detector.find(name, offline=offline), dataset=dataset)
    file = locate_weights(name, offline=offline)
    if is_single_stage(file.path):
        return read_single_stage_weights(file.path, dataset=dataset)
    network: Any = load_checkpoint(file.path, input_size=file.input_size, dataset=dataset)
    card = PoseCard(
        input_size=network.input_size,
        processing=network.processing.name,
        family=type(network).__name__,
        skeleton=fitting(network.num_keypoints, dataset, name).name,
        sha256=file.sha256,
    )
    return Loaded(file.path, network, card)
