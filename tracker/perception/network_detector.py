"""Detect the people in images with a network: a detector, or a single-stage pose network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry.detection import DETECTOR_PROCESSINGS
from ...models.weights.card import DetectorCard
from ..types import Detections, Frame
from .outputs import reading_outputs
from .runtimes import Runtime


class NetworkDetector:
    """Callable `(frame) -> Detections` around a network.

    Args:
        network: maps images (1, 3, h, w) to what the card's `processing` reads.
        card: input and output conventions of the network.
        name: name of the detector in messages and output files.
        conf: minimum score.
        iou: IoU threshold of the non-maximum suppression.
        size: longer side of the input, pixels; None for the card's size.
        max_people: maximum number of people per frame, the most confident first; None for no limit.

    Raises:
        UsageError: the network does not take this size.
    """

    def __init__(
        self,
        network: Runtime,
        card: DetectorCard,
        *,
        name: str = "",
        conf: float = 0.25,
        iou: float = 0.6,
        size: int | None = None,
        max_people: int | None = None,
    ) -> None:
        self.network, self.card, self.name, self.sha256 = network, card, name, card.sha256
        self.conf, self.iou, self.size, self.max_people = conf, iou, size or card.size, max_people
        if card.input_size and self.size != card.size:
            raise UsageError(f"--detect-size is {size}, but {name} takes {card.size} pixels only. Leave it out.")

    def __call__(self, frame: Frame) -> Detections:
        """Detect the people, the most confident first."""
        ((people, _),) = self.find([frame.image])
        return people

    def find(
        self, images: Sequence[NDArray[np.uint8]], *, num_keypoints: int = 0
    ) -> list[tuple[Detections, NDArray[np.float32]]]:
        """Detect the people in images of one size, in one batch; also for a single-stage pose network.

        Args:
            images: each (H, W, 3) BGR.
            num_keypoints: K at the end of each row of the output: x, y in input pixels, score.

        Returns:
            Of each image, N people, the most confident first, in boxes that end at the border of the image, and their
            keypoints (N, K, 3): x, y in pixels of the image, score.
        """
        card, processing = self.card, DETECTOR_PROCESSINGS[self.card.processing]
        fits = [
            processing.prepare(image, size=self.size, stride=card.stride, shape=card.input_size) for image in images
        ]  # each image (1, 3, h, w), its scale and offset
        batch = fits[0][0] if len(fits) == 1 else np.concatenate([prepared for prepared, _, _ in fits])
        outputs = self.network(batch)
        found = []
        for row, (image, (_, scale, offset)) in enumerate(zip(images, fits, strict=True)):
            with reading_outputs():
                boxes, scores, rows = processing.read(
                    _of_image(outputs, row),
                    person_class=card.person_class,
                    conf=self.conf,
                    iou=self.iou,
                    shape=batch.shape[2:],
                )
                border = image.shape[1::-1]
                corners = _in_image(boxes.reshape(-1, 2, 2), scale, offset, border=border).reshape(-1, 4)
                keypoints = rows[:, rows.shape[1] - 3 * num_keypoints :].reshape(len(rows), num_keypoints, 3)
                points = _in_image(keypoints[..., :2], scale, offset, border=border if processing.clips else None)
                keypoints = np.concatenate([points, keypoints[..., 2:]], axis=2)
            known = np.isfinite(corners).all(1) & np.isfinite(scores)  # not so from damaged weights
            corners, scores, keypoints = corners[known], scores[known], keypoints[known]
            found.append((Detections(corners, scores)[: self.max_people], keypoints[: self.max_people]))
        return found


def _of_image(outputs: Any, row: int) -> Any:
    """Return the outputs of one image of a batch, as a batch of one."""
    if isinstance(outputs, dict):
        return {name: output[row : row + 1] for name, output in outputs.items()}
    return outputs[row : row + 1]


def _in_image(
    points: NDArray[np.float32],
    scale: NDArray[np.floating],
    offset: NDArray[np.integer],
    *,
    border: tuple[int, ...] | None,
) -> NDArray[np.float32]:
    """Map points (..., 2) of the input to the image, and clip them to its `border` (width, height) if given."""
    mapped = (points - offset) / scale
    return (mapped if border is None else np.minimum(np.maximum(mapped, 0), border)).astype(np.float32)
