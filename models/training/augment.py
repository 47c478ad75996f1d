"""Data augmentation: regions, geometry, colour, blur and occlusion of training samples."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.floating]

UPPER_BODY = np.arange(11)  # COCO: face, shoulders, elbows, wrists


def half_body(box: Array, keypoints: Array, weights: Array, rng: Generator, *, probability: float) -> Array:
    """Crop to the upper or lower body of a person with more than 8 known keypoints (Wang et al. 2018).

    The region is centred at the mean of the part's keypoints, with 1.2 times their extent; with the crop's padding of
    1.25, this is the originals' 1.5.

    Args:
        box: (4,) xyxy.
        keypoints: (K, 2).
        weights: (K,).
        rng: random generator.
        probability: of such a crop.

    Returns:
        A box (4,) xyxy.

    Source: `half_body_transform` of HRNet and of mmpose 0.x, which chooses the upper body if a standard normal number
    is below 0.5, in 69 % of cases.
    """
    known = weights > 0
    if rng.random() >= probability or known.sum() <= 8:
        return box
    upper, lower = known & _upper(len(known)), known & ~_upper(len(known))
    part = upper if rng.standard_normal() < 0.5 and upper.sum() > 2 else lower if lower.sum() > 2 else upper
    points = keypoints[part]
    center, extent = points.mean(0), 1.2 * np.maximum(np.ptp(points, axis=0), 1.0)
    return np.concatenate([center - extent / 2, center + extent / 2])


def truncated(box: Array, keypoints: Array, weights: Array, rng: Generator, *, probability: float) -> Array:
    """Crop to the known keypoints of the upper or lower body, as in a webcam image or behind a table.

    Tighter than `half_body`, and also for people with few known keypoints; same arguments and result.
    """
    if rng.random() >= probability:
        return box
    upper = _upper(len(weights))
    part = (weights > 0) & (upper if rng.random() < 0.8 else ~upper)
    if part.sum() < 4:
        return box
    low, high = keypoints[part].min(0), keypoints[part].max(0)
    margin = 0.15 * (high - low).max()
    return np.concatenate([low - margin, high + margin])


def _upper(count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[UPPER_BODY] = True
    return mask


def random_scale(rng: Generator, *, amount: float) -> float:
    """Return a factor for the region's size: normal with mean 1, clipped to 1 +- amount."""
    return float(np.clip(1 + amount * rng.standard_normal(), 1 - amount, 1 + amount))


def random_rotation(rng: Generator, *, degrees: float, probability: float = 0.6) -> float:
    """Return an angle in radians: normal, clipped to twice `degrees`; 0 in the other samples."""
    angle = np.clip(degrees * rng.standard_normal(), -2 * degrees, 2 * degrees)
    return float(np.deg2rad(angle)) if rng.random() < probability else 0.0


def random_squeeze(rng: Generator, *, amount: float) -> Array:
    """Return factors (2,) for width and height that change the aspect ratio and keep the area."""
    half = rng.uniform(-amount, amount) / 2
    return np.exp([half, -half])


def random_color(image: NDArray[np.uint8], rng: Generator, *, strength: float) -> NDArray[np.uint8]:
    """Change exposure, contrast and white balance; at full strength, one image in 20 becomes grey."""
    gain = np.exp(strength * (rng.normal(0, 0.2) + rng.normal(0, 0.07, 3)))
    ramp = (np.arange(256) / 255.0)[:, None] ** np.exp(strength * rng.normal(0, 0.2)) * gain
    image = cv2.LUT(image, np.clip(ramp * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3))  # type: ignore[assignment]
    if rng.random() < 0.05 * strength:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # type: ignore[assignment]
    return image


def random_blur(image: NDArray[np.uint8], rng: Generator, *, probability: float) -> NDArray[np.uint8]:
    """Blur like a cheap lens or motion."""
    if rng.random() < probability:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))  # type: ignore[assignment]
    return image


def random_cutout(image: NDArray[np.uint8], rng: Generator, *, probability: float) -> NDArray[np.uint8]:
    """Cover a random rectangle with a random colour, like an object in front of the person."""
    if rng.random() < probability:
        height, width = image.shape[:2]
        h, w = (rng.uniform(0.1, 0.35, 2) * (height, width)).astype(int)
        y, x = int(rng.integers(height - h)), int(rng.integers(width - w))
        image[y : y + h, x : x + w] = rng.integers(0, 256, 3, dtype=np.uint8)
    return image


def random_low_resolution(image: NDArray[np.uint8], rng: Generator, *, probability: float) -> NDArray[np.uint8]:
    """Downscale the crop 2 to 5 times and upscale it again, like the crop of a distant person."""
    if rng.random() < probability:
        height, width = image.shape[:2]
        factor = np.exp(rng.uniform(np.log(0.2), np.log(0.5)))
        small = cv2.resize(image, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return image


def random_paste(
    image: NDArray[np.uint8], other: NDArray[np.uint8], rng: Generator, *, keypoints: Array, weights: Array
) -> NDArray[np.uint8]:
    """Cover a known keypoint and its surroundings with a part of another crop, like a person in front.

    Args:
        image: (H, W, 3), changed in place.
        other: (H, W, 3), the crop of another person.
        rng: random generator.
        keypoints: (K, 2) pixels of `image`.
        weights: (K,); 0 means unknown.
    """
    known = np.flatnonzero(weights > 0)
    if len(known) == 0:
        return image
    height, width = image.shape[:2]
    size = (rng.uniform(0.15, 0.4, 2) * (height, width)).astype(int)  # h, w
    center = keypoints[rng.choice(known)][::-1] + rng.normal(0, 0.1, 2) * size
    low = np.clip(np.round(center - size / 2).astype(int), 0, np.array([height, width]) - size)
    source = [int(rng.integers(0, side - part + 1)) for side, part in zip((height, width), size, strict=True)]
    (y, x), (v, u), (h, w) = low, source, size
    image[y : y + h, x : x + w] = other[v : v + h, u : u + w]
    return image
