"""Train the bundled person detector: mosaics of pictures, Ultralytics' own loss."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from .. import yolo
from . import augment
from .dataset import CocoPeople, Picture
from .loop import Schedule, fit

GREY = 114  # what Ultralytics pads with


def batches(
    data: CocoPeople, *, size: int, batch_size: int, seed: int, mosaic: float = 0.5
) -> Iterator[dict[str, Tensor]]:
    """Yield augmented pictures for ever: images (B, 3, S, S) RGB in [0, 1] and Ultralytics' target arrays."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(data.pictures))
        for start in range(0, len(order) - batch_size + 1, batch_size):
            samples = [_sample(data, data.pictures[i], size, rng, mosaic) for i in order[start : start + batch_size]]
            yield _collate(samples, size)


def _sample(
    data: CocoPeople, picture: Picture, size: int, rng: Generator, mosaic: float
) -> tuple[NDArray[np.uint8], NDArray]:
    canvas = np.full((size, size, 3), GREY, dtype=np.uint8)
    if rng.random() >= mosaic:
        boxes = _paste(canvas, data, picture, (0, 0, size, size), np.exp(rng.normal(0, 0.35)), rng)
    else:
        x, y = (rng.uniform(0.3, 0.7, 2) * size).astype(int)
        cells = [(0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)]
        others = [data.pictures[i] for i in rng.integers(len(data.pictures), size=3)]
        zoom = np.exp(rng.normal(0.1, 0.3))
        boxes = np.concatenate(
            [_paste(canvas, data, p, cell, zoom, rng) for p, cell in zip([picture, *others], cells, strict=True)]
        )
    canvas = augment.random_color(canvas, rng)
    if rng.random() < 0.5:
        canvas = canvas[:, ::-1]
        boxes[:, [0, 2]] = size - boxes[:, [2, 0]]
    return canvas, boxes


def _paste(
    canvas: NDArray[np.uint8],
    data: CocoPeople,
    picture: Picture,
    cell: tuple[int, int, int, int],
    zoom: float,
    rng: Generator,
) -> NDArray:
    """Warp one picture into a cell (x1, y1, x2, y2) of the canvas and return its boxes there (P, 4)."""
    x1, y1, x2, y2 = cell
    w, h = x2 - x1, y2 - y1
    height, width = picture.shape
    squeeze = np.exp(rng.uniform(-1, 1) * (0.29 if picture.squashed else 0.1))
    scale = zoom * min(w / width, h / height) * np.array([squeeze**0.5, squeeze**-0.5])
    room = np.array([w, h]) - scale * (width, height)
    shift = rng.uniform(0, 1, 2) * room  # anywhere inside if smaller than the cell, any part of it if larger
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    canvas[y1:y2, x1:x2] = cv2.warpAffine(
        data.pixels(picture), matrix, (w, h), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )
    boxes = picture.boxes * np.tile(scale, 2) + np.tile(shift, 2)
    clipped = np.clip(boxes, 0, [w, h, w, h])
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    sides = clipped[:, 2:] - clipped[:, :2]
    kept = (np.prod(sides, axis=1) > 0.25 * area) & (sides.min(1, initial=1e9) > 3)
    return clipped[kept] + [x1, y1, x1, y1]


def _collate(samples: list[tuple[NDArray[np.uint8], NDArray]], size: int) -> dict[str, Tensor]:
    images = np.stack([image[..., ::-1].transpose(2, 0, 1) for image, _ in samples])
    boxes = np.concatenate([boxes for _, boxes in samples]) / size
    index = np.repeat(np.arange(len(samples)), [len(boxes) for _, boxes in samples])
    centers = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    return {
        "images": torch.from_numpy(images).float() / 255,
        "batch_idx": torch.from_numpy(index).float(),
        "cls": torch.zeros(len(index), 1),
        "bboxes": torch.from_numpy(centers).float(),
    }


def loss(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Return the detection loss of a batch; the network runs in bfloat16, the loss in float32."""
    predictions = model.predict(batch["images"].contiguous(memory_format=torch.channels_last))
    predictions = {key: value.float() if torch.is_tensor(value) else value for key, value in predictions.items()}
    with torch.autocast(batch["images"].device.type, enabled=False):
        return yolo.detection_loss(model, predictions, batch)


def main() -> None:
    """Train from the command line: `python -m posetrack.models.training.detector --help`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder in COCO layout")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--mosaic", type=float, default=0.5)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--decay", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="a last.pt to continue")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    stream = batches(
        CocoPeople(args.data, cache=args.cache),
        size=args.size,
        batch_size=args.batch_size,
        seed=args.seed,
        mosaic=args.mosaic,
    )
    schedule = Schedule(steps=args.steps, lr=args.lr, warmup=args.warmup, decay=args.decay, weight_decay=0.02, clip=10)
    average = fit(yolo.build(), loss, stream, schedule=schedule, out=args.out, resume=args.resume, device=args.device)
    yolo.save(average, args.out / "detector.safetensors", size=args.size)


if __name__ == "__main__":
    main()
