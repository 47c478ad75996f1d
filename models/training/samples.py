"""Training samples, crops of people, and their order.

Samples and order depend only on (seed, epoch, index). A resumed run therefore sees the same samples, independent of the
number of worker processes and devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ...errors import UsageError
from ..geometry import crop
from ..geometry.keypoints import COCO
from ..geometry.processing import Processing
from . import augment
from .data import People
from .recipe import Augment

SQUASHED = 0.29  # logarithm of 4/3, a possible aspect ratio before an image was stretched to a square


class Crops(Dataset[dict[str, Any]]):
    """One sample per person: image (H, W, 3) BGR uint8, keypoints (K, 2) in crop pixels, weights (K,).

    For validation also `centers` (2,) and `sizes` (2,), the region in the annotated image, to map points back.

    Args:
        people: to crop.
        processing: crop convention of the network's family.
        input_size: (height, width) of the crop.
        augmentation: of samples; None for each person's box unchanged, for validation.
        seed: of the augmentation.
    """

    def __init__(
        self,
        people: People,
        *,
        processing: Processing,
        input_size: tuple[int, int],
        augmentation: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.people, self.processing, self.input_size = people, processing, input_size
        self.augmentation, self.seed = augmentation, seed

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        """Return the sample of person `index` in `epoch`."""
        epoch, index = key
        people, augmentation = self.people, self.augmentation
        rng = np.random.default_rng([self.seed, epoch, index])
        row = people.image_rows[index]
        image, scale = people.image(row)
        box = people.boxes[index].astype(np.float64) * np.tile(scale, 2)
        keypoints, weights = people.keypoints[index].astype(np.float64) * scale, people.weights[index]
        if augmentation is None:
            center, size = self.region(box)
            matrix = self.matrix(center, size)
            pixels = self.processing.warp(image, matrix[None], input_size=self.input_size)[0]
            region = {"centers": (center / scale).astype(np.float32), "sizes": (size / scale).astype(np.float32)}
            return _sample(pixels, keypoints, weights, matrix) | region

        box = augment.truncated(box, keypoints, weights, rng, probability=augmentation.truncate)
        if rng.random() < augmentation.shift_probability:
            box = box + np.tile(rng.uniform(-1, 1, 2) * augmentation.shift * (box[2:] - box[:2]), 2)
        box = augment.half_body(box, keypoints, weights, rng, probability=augmentation.half_body)
        center, size = self.region(box)
        size = size * augment.random_scale(rng, amount=augmentation.scale)
        size = size * augment.random_squeeze(rng, amount=SQUASHED if people.squashed[row] else augmentation.squeeze)
        matrix = self.matrix(center, size, augment.random_rotation(rng, degrees=augmentation.rotation))
        if rng.random() < augmentation.flip:
            matrix = mirrored(matrix, center)
            keypoints, weights = keypoints[COCO.flip_order], weights[COCO.flip_order]
        pixels = self.processing.warp(image, matrix[None], input_size=self.input_size)[0]
        if augmentation.color:
            pixels = augment.random_color(pixels, rng, strength=augmentation.color)
        pixels = augment.random_blur(pixels, rng, probability=augmentation.blur)
        pixels = augment.random_low_resolution(pixels, rng, probability=augmentation.low_resolution)
        pixels = augment.random_cutout(pixels, rng, probability=augmentation.cutout)
        sample = _sample(pixels, keypoints, weights, matrix)
        if rng.random() < augmentation.paste:
            other = self._unaugmented(int(rng.integers(len(people))))
            augment.random_paste(pixels, other, rng, keypoints=sample["keypoints"], weights=weights)
        return sample

    def _unaugmented(self, index: int) -> NDArray[np.uint8]:
        """Return the crop (H, W, 3) of a person without augmentation."""
        image, scale = self.people.image(self.people.image_rows[index])
        matrix = self.matrix(*self.region(self.people.boxes[index].astype(np.float64) * np.tile(scale, 2)))
        return self.processing.warp(image, matrix[None], input_size=self.input_size)[0]

    def region(self, box: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the centre (2,) and size (2,) of the family's region for a box."""
        centers, sizes = self.processing.regions(box[None], self.input_size)
        return centers[0], sizes[0]

    def matrix(
        self, center: NDArray[np.floating], size: NDArray[np.floating], rotation: float = 0.0
    ) -> NDArray[np.floating]:
        """Return the family's affine map (2, 3) from the image to the crop."""
        return self.processing.matrices(
            center[None], size[None], input_size=self.input_size, rotations=np.array([rotation])
        )[0]


def _sample(pixels: NDArray[np.uint8], keypoints: NDArray, weights: NDArray, matrix: NDArray) -> dict[str, Any]:
    points = crop.transform(keypoints[None], matrix[None])[0]
    return {"images": pixels, "keypoints": points.astype(np.float32), "weights": weights.copy()}


def mirrored(matrix: NDArray[np.floating], center: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return an affine map (2, 3) to the crop followed by a reflection about the position of `center` (2,).

    The originals mirror the image before cropping, so the axis is at the box's centre, which is not the centre of the
    crop's pixels in every family.
    """
    middle = matrix[0, :2] @ center + matrix[0, 2]
    result = matrix.copy()
    result[0] = -matrix[0]
    result[0, 2] += 2 * middle
    return result


class Batches(Sampler[list[tuple[int, int]]]):
    """The order of samples: all once per epoch, shuffled, without the last incomplete batch.

    Set `epoch` and `start` (number of its batches to skip) before each pass.

    Args:
        count: samples.
        batch: samples per step over all processes.
        seed: of the order.
        rank: of this process, which gets every world-th sample of each batch.
        world: number of processes.
    """

    def __init__(self, count: int, *, batch: int, seed: int, rank: int = 0, world: int = 1) -> None:
        if count < batch:
            raise UsageError(f"There are {count} samples, fewer than a batch of {batch}. Give --set batch={count}.")
        if batch % world:
            raise UsageError(f"A batch of {batch} cannot be split among {world} processes; give a multiple of {world}.")
        self.count, self.batch, self.seed, self.rank, self.world = count, batch, seed, rank, world
        self.epoch = self.start = 0

    def __len__(self) -> int:
        return self.count // self.batch - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield a list of (epoch, index) per batch."""
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        for step in range(self.start, self.count // self.batch):
            rows = order[step * self.batch : (step + 1) * self.batch]
            yield [(self.epoch, int(i)) for i in rows[self.rank :: self.world]]


def loader(
    dataset: Dataset, *, batches: Any, workers: int, collate: Callable[[list], dict[str, Tensor]] | None = None
) -> DataLoader:
    """Return a loader of batches, with a random generator separate from the training's."""
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_one_thread,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),
    )


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # one thread per worker, so that the number of workers determines the cores used


def in_order(count: int, batch: int) -> list[list[tuple[int, int]]]:
    """Return batches of all samples in order, for validation."""
    return [[(0, i) for i in range(start, min(start + batch, count))] for start in range(0, count, batch)]


def to_planes(images: Tensor) -> Tensor:
    """Convert crops (B, H, W, 3) BGR uint8 to normalised RGB planes (B, 3, H, W), on their device."""
    mean, std = (torch.from_numpy(values).to(images.device) for values in (crop.MEAN, crop.STD))
    return ((images.flip(3).float() / 255 - mean) / std).permute(0, 3, 1, 2)
