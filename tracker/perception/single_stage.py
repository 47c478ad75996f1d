"""The single-stage pose estimator: one pass of a network finds the people of a frame and their keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...models.geometry.skeletons import AUTO, fitting, skeleton
from ...models.weights.card import SingleStageCard
from ..types import Frame, Poses
from .appearance import appearance_vectors
from .detector import conventions
from .network_detector import NetworkDetector
from .runtimes import Runtime
from .runtimes.store import Loaded

_HEAD = 2**20  # bytes; `torch.save` writes the pickle, which names the classes, before the weights


class SingleStagePoseEstimator:
    """Callable `(frame) -> Poses` around a YOLO pose network or RTMO. Its time does not depend on the number of people.

    Args:
        network: as of `NetworkDetector`; each row of its output ends with the keypoints.
        card: input and output conventions of the network.
        name: name of the estimator in output files.
        conf: minimum score of a person.
        iou: IoU threshold of the non-maximum suppression; Ultralytics' default.
        size: longer side of the input, pixels; None for the card's size.
        max_people: maximum number of people per frame, the most confident first; None for no limit.

    Raises:
        UsageError: the network does not take this size.
    """

    def __init__(
        self,
        network: Runtime,
        card: SingleStageCard,
        *,
        name: str = "",
        conf: float = 0.25,
        iou: float = 0.7,
        size: int | None = None,
        max_people: int | None = None,
    ) -> None:
        self.network, self.name, self.sha256 = network, name, card.sha256
        self.skeleton, self.family = skeleton(card.skeleton), card.family
        self._people = NetworkDetector(network, card, name=name, conf=conf, iou=iou, size=size, max_people=max_people)

    @property
    def size(self) -> int:
        """Longer side of the input, pixels."""
        return self._people.size

    def __call__(self, frame: Frame) -> Poses:
        """Estimate the poses of all people, the most confident first."""
        return self.of_images([frame.image])[0]

    def of_images(self, images: Sequence[NDArray[np.uint8]]) -> list[Poses]:
        """Estimate the poses of all people in images (H, W, 3) of one size, in one batch."""
        found = self._people.find(images, num_keypoints=len(self.skeleton))
        return [
            Poses(
                boxes=people.boxes,
                keypoints=keypoints[..., :2],
                scores=keypoints[..., 2],
                box_scores=people.scores,
                features=appearance_vectors(image, people.boxes, keypoints[..., :2], keypoints[..., 2], self.skeleton),
            )
            for image, (people, keypoints) in zip(images, found, strict=True)
        ]


def is_single_stage(path: Path) -> bool:
    """Return whether a file of weights holds a network of Ultralytics'; nothing in it is run."""
    with path.open("rb") as file:
        return path.suffix != ".safetensors" and b"ultralytics.nn.tasks" in file.read(_HEAD)


def read_single_stage_weights(path: Path, *, dataset: str = AUTO) -> Loaded:
    """Read the weights of a single-stage pose network with torch and Ultralytics.

    Raises:
        ModelError: the file is broken, or has no keypoints, or those of another dataset.
    """
    from ...models.weights import detectors

    model: Any = detectors.load(path)
    shape = getattr(model.model[-1], "kpt_shape", None)
    if shape is None:
        raise ModelError(f"'{path}' detects people but estimates no poses. Give it as --detector.")
    if shape[1] != 3:
        raise ModelError(
            f"'{path}' estimates {shape[1]} values for a keypoint, not x, y and score. Give another network."
        )
    return Loaded(
        path, model, SingleStageCard(**conventions(model, path), skeleton=fitting(shape[0], dataset, f"'{path}'").name)
    )
