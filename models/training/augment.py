"""What a training picture goes through: the crop's geometry, mirroring, truncation, colour and dirt."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

UPPER_BODY = np.arange(11)  # COCO: face, shoulders, elbows, wrists


def random_region(
    box: NDArray, keypoints: NDArray, weights: NDArray, rng: Generator, *, truncate: float = 0.25
) -> NDArray:
    """Choose what part of a person the crop shows.

    With probability `truncate`, only the known joints of the upper or of the lower body, as in a webcam's picture or
    behind a table (half-body augmentation, Wang et al. 2018); else the whole box.

    Args:
        box: (4,) xyxy.
        keypoints: (K, 2).
        weights: (K,).
        rng: source of chance.
        truncate: probability of a part.

    Returns:
        A box (4,) xyxy.
    """
    if rng.random() >= truncate:
        return box
    known = weights > 0
    upper = np.zeros(len(known), dtype=bool)
    upper[UPPER_BODY] = True
    part = known & (upper if rng.random() < 0.8 else ~upper)
    if part.sum() < 4:
        return box
    low, high = keypoints[part].min(0), keypoints[part].max(0)
    margin = 0.15 * (high - low).max()
    return np.concatenate([low - margin, high + margin])


def random_geometry(
    centers: NDArray, sizes: NDArray, squashed: NDArray, rng: Generator
) -> tuple[NDArray, NDArray, NDArray]:
    """Jitter crop regions (N): place, size, aspect ratio and rotation.

    Pictures whose publisher squashed them to a square get a wide range of aspect ratios, since the true one is unknown.
    """
    n = len(centers)
    scale = np.exp(np.clip(rng.normal(0, 0.18, (n, 1)), -0.4, 0.4))
    limit = np.where(squashed, 0.29, 0.1)
    squeeze = np.exp(rng.uniform(-limit, limit))[:, None] ** np.array([0.5, -0.5])
    rotations = np.where(rng.random(n) < 0.5, np.clip(rng.normal(0, 0.35, n), -1.0, 1.0), 0.0)
    return centers + rng.uniform(-0.08, 0.08, (n, 2)) * sizes, sizes * scale * squeeze, rotations


def random_color(image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Change exposure, contrast and white balance; sometimes grey, blurred or noisy, as cheap cameras are."""
    gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.07, 3))
    ramp = (np.arange(256) / 255.0)[:, None] ** np.exp(rng.normal(0, 0.2)) * gain
    image = cv2.LUT(image, np.clip(ramp * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    if rng.random() < 0.05:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.1:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    return image


def random_cutout(image: NDArray[np.uint8], rng: Generator, *, probability: float = 0.1) -> NDArray[np.uint8]:
    """Cover a random rectangle with one random colour, as a thing in front of the person does."""
    if rng.random() < probability:
        height, width = image.shape[:2]
        h, w = (rng.uniform(0.1, 0.35, 2) * (height, width)).astype(int)
        y, x = int(rng.integers(height - h)), int(rng.integers(width - w))
        image[y : y + h, x : x + w] = rng.integers(0, 256, 3, dtype=np.uint8)
    return image
