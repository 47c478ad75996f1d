"""Train the bundled pose network: crops of people, Gaussian targets, cross-entropy over places."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from .. import crop
from ..convvit import SIGMA, ConvViT
from ..keypoints import COCO
from . import augment
from .dataset import CocoPeople, Picture
from .loop import Schedule, fit
from .losses import place_cross_entropy
from .targets import to_heatmap

FLIP_ORDER = COCO.flip_order


def people(data: CocoPeople, *, min_keypoints: int = 4) -> list[tuple[Picture, int]]:
    """List every person with enough known keypoints to learn from, as (picture, row)."""
    return [
        (picture, row)
        for picture in data.pictures
        for row in range(len(picture.boxes))
        if (picture.weights[row] > 0).sum() >= min_keypoints
    ]


def batches(
    data: CocoPeople, *, input_size: tuple[int, int], batch_size: int, seed: int
) -> Iterator[dict[str, Tensor]]:
    """Yield augmented crops for ever: images (B, 3, H, W), keypoints (B, K, 2) in crop pixels, weights (B, K)."""
    rng = np.random.default_rng(seed)
    persons = people(data)
    while True:
        order = rng.permutation(len(persons))
        for start in range(0, len(order) - batch_size + 1, batch_size):
            chosen = [persons[i] for i in order[start : start + batch_size]]
            yield _batch(data, chosen, input_size, rng)


def _batch(
    data: CocoPeople, chosen: list[tuple[Picture, int]], input_size: tuple[int, int], rng: np.random.Generator
) -> dict[str, Tensor]:
    keypoints = np.stack([picture.keypoints[row] for picture, row in chosen]).astype(np.float64)
    weights = np.stack([picture.weights[row] for picture, row in chosen])
    boxes = np.stack(
        [
            augment.random_region(picture.boxes[row], picture.keypoints[row], picture.weights[row], rng)
            for picture, row in chosen
        ]
    )
    squashed = np.array([picture.squashed for picture, _ in chosen])
    centers, sizes = crop.crop_regions(boxes, input_size=input_size)
    centers, sizes, rotations = augment.random_geometry(centers, sizes, squashed, rng)
    matrices = crop.crop_matrices(centers, sizes, input_size=input_size, rotations=rotations)
    keypoints = crop.transform(keypoints, matrices).astype(np.float64)
    images = np.concatenate(
        [
            crop.warp(data.pixels(picture), matrix[None], input_size=input_size)
            for (picture, _), matrix in zip(chosen, matrices, strict=True)
        ]
    )
    for i, image in enumerate(images):
        images[i] = augment.random_cutout(augment.random_color(image, rng), rng)
    mirrored = rng.random(len(images)) < 0.5
    images[mirrored] = images[mirrored, :, ::-1]
    keypoints[mirrored, :, 0] = input_size[1] - 1 - keypoints[mirrored, :, 0]
    keypoints[mirrored] = keypoints[mirrored][:, FLIP_ORDER]
    weights[mirrored] = weights[mirrored][:, FLIP_ORDER]
    return {
        "images": torch.from_numpy(crop.normalize(images)),
        "keypoints": torch.from_numpy(keypoints.astype(np.float32)),
        "weights": torch.from_numpy(weights),
    }


def heatmap_loss(model: ConvViT, batch: dict[str, Tensor]) -> Tensor:
    """Return the cross-entropy over places of a batch; a joint outside of the crop gives no loss."""
    logits = model.logits(batch["images"].contiguous(memory_format=torch.channels_last)).float()  # (B, K, h, w)
    (height, width), (h, w) = batch["images"].shape[2:], logits.shape[2:]
    points = to_heatmap(batch["keypoints"], input_size=(height, width), size=(h, w))
    return place_cross_entropy(logits, points, batch["weights"], sigma=SIGMA)


def resize_positions(positions: Tensor, *, input_size: tuple[int, int]) -> Tensor:
    """Fit learnt positions (1, C, h, w) to another input size, so that training can go on at a higher resolution.

    Bilinear, because the optimiser's squared gradients go the same way and must stay positive.
    """
    size = (input_size[0] // 16, input_size[1] // 16)
    return F.interpolate(positions, size=size, mode="bilinear", align_corners=False)


def main() -> None:
    """Train from the command line: `python -m posetrack.models.training.pose --help`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder in COCO layout")
    parser.add_argument("--cache", type=Path, required=True, help="folder for decoded pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--input-size", type=int, nargs=2, default=(128, 96), metavar=("H", "W"))
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--decay", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="a last.pt to continue, at the same or another input size")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    input_size = tuple(args.input_size)
    resume = args.resume
    if resume is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        resume = _at_size(resume, args.out / "resumed.pt", input_size)
    model = ConvViT(input_size=input_size)
    stream = batches(
        CocoPeople(args.data, cache=args.cache), input_size=input_size, batch_size=args.batch_size, seed=args.seed
    )
    schedule = Schedule(steps=args.steps, lr=args.lr, warmup=args.warmup, decay=args.decay)
    average = fit(model, heatmap_loss, stream, schedule=schedule, out=args.out, resume=resume, device=args.device)
    save_file({key: value.contiguous() for key, value in average.state_dict().items()}, args.out / "pose.safetensors")


def _at_size(checkpoint: Path, copy: Path, input_size: tuple[int, int]) -> Path:
    """Write a copy of a checkpoint whose positions, their average and their moments fit another input size."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    before = saved["model"]["pos_embed"].shape
    for key in ("model", "ema"):
        saved[key]["pos_embed"] = resize_positions(saved[key]["pos_embed"], input_size=input_size)
    for state in saved["optimizer"]["state"].values():
        for key, value in state.items():
            if value.shape == before:
                state[key] = resize_positions(value, input_size=input_size)
    torch.save(saved, copy)
    return copy


if __name__ == "__main__":
    main()
