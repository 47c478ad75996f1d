"""The task of training a person detector: mosaic samples, loss, and validation on whole images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import Dataset

from ...errors import UsageError
from ..evaluation.coco import coco_box_ap
from ..networks import yolo
from ..weights import detectors
from ..weights.detector_files import locate_detector
from . import augment
from .data import People
from .objectives import Mean
from .recipe import Augment, Recipe
from .samples import SQUASHED, in_order, loader

GREY = 114  # padding, as in Ultralytics
STRIDE = 32
MIN_SCORE, IOU, MAX_BOXES = 0.001, 0.6, 100  # AP needs nearly all boxes; COCO evaluates 100 per image
SHOWN = 4  # images in the preview
COLOR = (80, 220, 80)


class Mosaics(Dataset[tuple[NDArray[np.uint8], NDArray]]):
    """One sample per image: a canvas (S, S, 3) BGR uint8 and its boxes (M, 4) xyxy.

    Args:
        people: in the images.
        size: longer side of a whole image, pixels; S is the next multiple of the stride, as in inference.
        augmentation: of samples; None for whole, centred images, for validation.
        seed: of the augmentation.
    """

    def __init__(self, people: People, *, size: int, augmentation: Augment | None = None, seed: int = 0) -> None:
        self.people, self.size, self.augmentation, self.seed = people, size, augmentation, seed
        self.side = size + -size % STRIDE

    def __len__(self) -> int:
        return len(self.people.names)

    def __getitem__(self, key: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray]:
        """Return the sample of image `index` in `epoch`."""
        epoch, index = key
        size, augmentation = self.side, self.augmentation
        rng = np.random.default_rng([self.seed, epoch, index])
        canvas = np.full((size, size, 3), GREY, dtype=np.uint8)
        if augmentation is None:
            return canvas, self._paste(canvas, index, (0, 0, size, size))
        if rng.random() >= augmentation.mosaic:
            zoom = np.exp(rng.normal(0, augmentation.scale))
            boxes = self._paste(canvas, index, (0, 0, size, size), zoom=zoom, rng=rng)
        else:
            x, y = (rng.uniform(0.3, 0.7, 2) * size).astype(int)
            cells = [(0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)]
            rows = [index, *rng.integers(len(self), size=3)]
            zoom = np.exp(rng.normal(0.1, augmentation.scale))  # slightly larger, because the cells are small
            boxes = np.concatenate(
                [self._paste(canvas, r, cell, zoom=zoom, rng=rng) for r, cell in zip(rows, cells, strict=True)]
            )
        canvas = augment.random_blur(canvas, rng, probability=augmentation.blur)
        canvas = augment.random_color(canvas, rng, strength=augmentation.color)
        if rng.random() < augmentation.flip:
            canvas = np.ascontiguousarray(canvas[:, ::-1])
            boxes[:, [0, 2]] = size - boxes[:, [2, 0]]
        return canvas, boxes

    def placed(self, row: int) -> tuple[float, NDArray[np.float64]]:
        """Return the scale and the offset (2,) that centre the whole image `row`, as annotated, in the canvas."""
        height, width = self.people.sizes[row]
        scale = self.size / max(height, width)
        return scale, (self.side - scale * np.array([width, height])) / 2

    def _paste(
        self,
        canvas: NDArray[np.uint8],
        row: int,
        cell: tuple[int, int, int, int],
        *,
        zoom: float = 1.0,
        rng: Generator | None = None,
    ) -> NDArray:
        """Warp one image into a cell (x1, y1, x2, y2) of the canvas and return its boxes in the canvas (P, 4)."""
        people, augmentation = self.people, self.augmentation
        image, shrunk = people.image(row)
        height, width = people.sizes[row]
        x1, y1, x2, y2 = cell
        inner = np.array([x2 - x1, y2 - y1])
        if rng is None or augmentation is None:
            number, shift = self.placed(row)
            scale = np.array([number, number])
        else:
            squeeze = augment.random_squeeze(rng, amount=SQUASHED if people.squashed[row] else augmentation.squeeze)
            scale = zoom * min(inner[0] / width, inner[1] / height) * squeeze
            # A smaller image is placed anywhere in the cell; a larger one is cut at random.
            shift = rng.uniform(0, 1, 2) * (inner - scale * (width, height))
        matrix = np.concatenate([np.diag(scale / shrunk), shift[:, None]], axis=1)
        canvas[y1:y2, x1:x2] = cv2.warpAffine(
            image, matrix, tuple(inner.tolist()), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
        )
        boxes = people.boxes[people.of_image(row)] * np.tile(scale, 2) + np.tile(shift, 2)
        clipped = np.clip(boxes, 0, np.tile(inner, 2))
        area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        sides = clipped[:, 2:] - clipped[:, :2]
        kept = (np.prod(sides, axis=1) > 0.25 * area) & (sides.min(1, initial=1e9) > 3)
        return clipped[kept] + [x1, y1, x1, y1]


class DetectionTask:
    """A detector's part of `loop.fit`; same interface as `PoseTask`."""

    score = "AP50"

    def __init__(self, people: People, held_out: People, recipe: Recipe, *, network: nn.Module | None = None) -> None:
        height, width = recipe.network.input_size
        variant, known = recipe.network.variant, yolo.VARIANTS.values()
        if variant not in known or height != width:
            raise UsageError(
                f"Trainable detectors are {', '.join(known)} with square input, not {variant} on "
                f"{height}x{width}. Change network.*."
            )
        torch.manual_seed(recipe.seed)
        self.network: Any = _initial_network(recipe) if network is None else network
        self.recipe = recipe
        limit = recipe.data.limit or len(people.names)
        people = people.select_images(np.arange(min(limit, len(people.names))))
        self.samples = Mosaics(people, size=height, augmentation=recipe.augment, seed=recipe.seed)
        self.held_out = Mosaics(held_out, size=height)
        self.truth = held_out.truth

    @staticmethod
    def collate(samples: list[tuple[NDArray[np.uint8], NDArray]]) -> dict[str, Tensor]:
        """Return images (B, S, S, 3), and boxes (M, 4) as centre and size in [0, 1], with the rows of their images."""
        images = np.stack([image for image, _ in samples])
        boxes = np.concatenate([boxes for _, boxes in samples]) / images.shape[1]
        index = np.repeat(np.arange(len(samples)), [len(boxes) for _, boxes in samples])
        centers = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
        return {
            "images": torch.from_numpy(images),
            "batch_idx": torch.from_numpy(index).float(),
            "cls": torch.zeros(len(index), 1),
            "bboxes": torch.from_numpy(centers).float(),
        }

    def loss(self, network: Any, batch: dict[str, Tensor], mean: Mean = lambda value: value) -> Tensor:
        """Return the detection loss of a batch, a scalar, computed in float32."""
        predictions = network.predict(_planes(batch["images"]))
        return self._loss(predictions, batch, network=self.network)

    def _loss(self, predictions: dict[str, Any], batch: dict[str, Tensor], *, network: nn.Module) -> Tensor:
        predictions = {key: value.float() if torch.is_tensor(value) else value for key, value in predictions.items()}
        with torch.autocast(batch["images"].device.type, enabled=False):
            return yolo.detection_loss(network, predictions, batch)

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> dict[str, float]:
        """Validate a network in evaluation mode: held-out loss, and COCO's AP and AR of person boxes."""
        order = in_order(len(self.held_out), min(self.recipe.batch, 32))
        batches = loader(self.held_out, batches=order, workers=self.recipe.data.workers, collate=self.collate)
        total, results = 0.0, []
        for keys, batch in zip(order, batches, strict=True):
            batch = {key: value.to(device) for key, value in batch.items()}
            detections, predictions = network(_planes(batch["images"]))
            total += self._loss(predictions, batch, network=self.network).item() * len(keys)
            for (_, row), output in zip(keys, detections.float().cpu().numpy(), strict=True):
                scale, shift = self.held_out.placed(row)
                boxes, scores = _boxes(output)
                boxes[:, :2] = (boxes[:, :2] - shift) / scale
                boxes[:, 2:] /= scale
                name = int(self.held_out.people.ids[row])
                results += [
                    {"image_id": name, "bbox": box, "score": score}
                    for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)
                ]
        measured = coco_box_ap(self.truth, results)
        return {"loss": total / len(self.held_out)} | {key: measured[key] for key in ("AP50", "AP", "AP75", "AR")}

    @torch.no_grad()
    def preview(self, network: nn.Module, device: torch.device) -> NDArray[np.uint8]:
        """Draw the detections in the first held-out images, side by side, (H, W, 3) BGR."""
        images = np.stack([self.held_out[0, i][0] for i in range(min(SHOWN, len(self.held_out)))])
        detections, _ = network(_planes(torch.from_numpy(images).to(device)))
        for image, output in zip(images, detections.float().cpu().numpy(), strict=True):
            boxes, scores = _boxes(output)
            for x, y, w, h in boxes[scores > 0.25].round().astype(int).tolist():
                cv2.rectangle(image, (x, y), (x + w, y + h), COLOR, 1)
        return np.concatenate(list(images), axis=1)

    def export(self, state: dict[str, Tensor], path: Path) -> None:
        """Write weights for `--detector`."""
        network: Any = yolo.build(self.network.variant)
        network.load_state_dict(state)
        detectors.save(network, path, size=self.recipe.network.input_size[0])

    def read_weights(self, path: Path) -> dict[str, Tensor]:
        """Read weights written by `export`, or the bundled ones, to start from."""
        return {key: value.float() if value.is_floating_point() else value for key, value in load_file(path).items()}


def _initial_network(recipe: Recipe) -> nn.Module:
    """Return the network with the recipe's published weights, or with random ones if it names none."""
    wanted = recipe.network
    if not wanted.pretrained:
        return yolo.build(wanted.variant)
    network: Any = detectors.load_person_only(locate_detector(wanted.pretrained))
    if network.variant != wanted.variant:
        raise UsageError(f"{wanted.pretrained} is a {network.variant}, not a {wanted.variant}. Change network.variant.")
    return network


def _planes(images: Tensor) -> Tensor:
    """Convert canvases (B, S, S, 3) BGR uint8 to RGB planes (B, 3, S, S) in [0, 1]."""
    planes = images.flip(3).permute(0, 3, 1, 2).float() / 255
    return planes.contiguous(memory_format=torch.channels_last)


def _boxes(output: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the boxes (N, 4) as x, y, width, height and the scores (N,) of a network's output (5, A)."""
    scores = output[4]
    candidates = scores > MIN_SCORE
    boxes = np.concatenate([output[:2] - output[2:4] / 2, output[2:4]]).T[candidates].astype(np.float64)
    scores = scores[candidates].astype(np.float64)
    kept = np.array(cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), MIN_SCORE, IOU), dtype=int).ravel()[:MAX_BOXES]
    return boxes[kept], scores[kept]
