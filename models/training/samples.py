"""Crops of people to learn from, and the order in which they come.

Sample and order are functions of (seed, epoch, index) alone: a run that was interrupted goes on with the same samples,
and neither the number of worker processes nor that of devices changes them.
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

SQUASHED = 0.29  # logarithm of 4/3: the aspect that a picture squashed to a square may have had


class Crops(Dataset[dict[str, Any]]):
    """One sample a person: image (H, W, 3) BGR uint8, keypoints (K, 2) in crop pixels, weights (K,).

    For validation also `centers` (2,) and `sizes` (2,), the region as annotated, to find the way back.

    Args:
        people: whom.
        processing: how the network's family cuts a person out of a picture.
        input_size: (height, width) of the crop.
        varied: how samples are varied; None shows each person's box as it is, for validation.
        seed: of the variations.
    """

    def __init__(
        self,
        people: People,
        *,
        processing: Processing,
        input_size: tuple[int, int],
        varied: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self.people, self.processing, self.input_size = people, processing, input_size
        self.varied, self.seed = varied, seed

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        """Return the sample of person `index` in `epoch`."""
        epoch, index = key
        people, varied = self.people, self.varied
        rng = np.random.default_rng([self.seed, epoch, index])
        row = people.picture[index]
        image, scale = people.image(row)
        box = people.boxes[index].astype(np.float64) * np.tile(scale, 2)
        keypoints, weights = people.keypoints[index].astype(np.float64) * scale, people.weights[index]
        if varied is None:
            center, size = self.region(box)
            matrix = self.matrix(center, size)
            pixels = self.processing.warp(image, matrix[None], input_size=self.input_size)[0]
            region = {"centers": (center / scale).astype(np.float32), "sizes": (size / scale).astype(np.float32)}
            return _sample(pixels, keypoints, weights, matrix) | region

        box = augment.truncated(box, keypoints, weights, rng, probability=varied.truncate)
        if rng.random() < varied.shift_probability:
            box = box + np.tile(rng.uniform(-1, 1, 2) * varied.shift * (box[2:] - box[:2]), 2)
        box = augment.half_body(box, keypoints, weights, rng, probability=varied.half_body)
        center, size = self.region(box)
        size = size * augment.random_scale(rng, amount=varied.scale)
        size = size * augment.random_squeeze(rng, amount=SQUASHED if people.squashed[row] else varied.squeeze)
        matrix = self.matrix(center, size, augment.random_rotation(rng, degrees=varied.rotation))
        if rng.random() < varied.flip:
            matrix = mirrored(matrix, center)
            keypoints, weights = keypoints[COCO.flip_order], weights[COCO.flip_order]
        pixels = self.processing.warp(image, matrix[None], input_size=self.input_size)[0]
        if varied.color:
            pixels = augment.random_color(pixels, rng, strength=varied.color)
        pixels = augment.random_blur(pixels, rng, probability=varied.blur)
        pixels = augment.random_low_resolution(pixels, rng, probability=varied.low_resolution)
        pixels = augment.random_cutout(pixels, rng, probability=varied.cutout)
        sample = _sample(pixels, keypoints, weights, matrix)
        if rng.random() < varied.paste:
            other = self._plain(int(rng.integers(len(people))))
            augment.random_paste(pixels, other, rng, keypoints=sample["keypoints"], weights=weights)
        return sample

    def _plain(self, index: int) -> NDArray[np.uint8]:
        """Return the crop (H, W, 3) of a person as it is."""
        image, scale = self.people.image(self.people.picture[index])
        matrix = self.matrix(*self.region(self.people.boxes[index].astype(np.float64) * np.tile(scale, 2)))
        return self.processing.warp(image, matrix[None], input_size=self.input_size)[0]

    def region(self, box: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the centre (2,) and the size (2,) that the family gives a box."""
        centers, sizes = self.processing.regions(box[None], self.input_size)
        return centers[0], sizes[0]

    def matrix(
        self, center: NDArray[np.floating], size: NDArray[np.floating], rotation: float = 0.0
    ) -> NDArray[np.floating]:
        """Return the family's affine map (2, 3) from the picture to the crop."""
        return self.processing.matrices(center[None], size[None], self.input_size, np.array([rotation]))[0]


def _sample(pixels: NDArray[np.uint8], keypoints: NDArray, weights: NDArray, matrix: NDArray) -> dict[str, Any]:
    points = crop.transform(keypoints[None], matrix[None])[0]
    return {"images": pixels, "keypoints": points.astype(np.float32), "weights": weights.copy()}


def mirrored(matrix: NDArray[np.floating], center: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return an affine map (2, 3) to the crop followed by a mirror through the place of `center` (2,) in it.

    The originals mirror the picture before they cut: the mirror stands where the box's centre goes, which is not the
    middle of the crop's pixels in every family.
    """
    middle = matrix[0, :2] @ center + matrix[0, 2]
    result = matrix.copy()
    result[0] = -matrix[0]
    result[0, 2] += 2 * middle
    return result


class Batches(Sampler[list[tuple[int, int]]]):
    """The order of samples: all of them once an epoch, shuffled, without the rest that fills no batch.

    Set `epoch` and `start` (batches of it to leave out) before each pass.

    Args:
        count: samples.
        batch: samples a step over all processes together.
        seed: of the order.
        rank: of this process, which gets every world-th sample of each batch.
        world: number of processes.
    """

    def __init__(self, count: int, *, batch: int, seed: int, rank: int = 0, world: int = 1) -> None:
        if count < batch:
            raise UsageError(f"There are {count} samples, less than a batch of {batch}. Give --set batch={count}.")
        if batch % world:
            raise UsageError(f"A batch of {batch} cannot be shared by {world} processes; give a multiple of {world}.")
        self.count, self.batch, self.seed, self.rank, self.world = count, batch, seed, rank, world
        self.epoch = self.start = 0

    def __len__(self) -> int:
        return self.count // self.batch - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield a list of (epoch, index) a batch."""
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        for step in range(self.start, self.count // self.batch):
            rows = order[step * self.batch : (step + 1) * self.batch]
            yield [(self.epoch, int(i)) for i in rows[self.rank :: self.world]]


def loader(
    dataset: Dataset, *, batches: Any, workers: int, collate: Callable[[list], dict[str, Tensor]] | None = None
) -> DataLoader:
    """Return a loader of batches; its own chance is kept apart from that of the training."""
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
    cv2.setNumThreads(0)  # one thread a worker: their number says how many cores are used


def in_order(count: int, batch: int) -> list[list[tuple[int, int]]]:
    """Return batches of all samples in their order, for validation."""
    return [[(0, i) for i in range(start, min(start + batch, count))] for start in range(0, count, batch)]


def to_planes(images: Tensor) -> Tensor:
    """Turn crops (B, H, W, 3) BGR uint8 into normalised RGB planes (B, 3, H, W), on their device."""
    mean, std = (torch.from_numpy(values).to(images.device) for values in (crop.MEAN, crop.STD))
    return ((images.flip(3).float() / 255 - mean) / std).permute(0, 3, 1, 2)
