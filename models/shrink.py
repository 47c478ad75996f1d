"""Make pictures smaller without what a bilinear map leaves out: it reads four pixels, however many there are.

Halving is the one exact average that OpenCV has a fast path for (a third of a millisecond at 1080p, where averages over
other areas take 3 to 12), so a picture is halved as long as it has more than twice the pixels, and then mapped.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

DENSE = 2**-0.5  # scale of a map from which it needs no halving: what is left is below half an octave either way


def resize(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture (H, W, 3) at a smaller size (width, height)."""
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        image = _half(image)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def warp(image: Image, matrices: NDArray[np.floating], *, input_size: tuple[int, int]) -> Image:
    """Cut crops (N, height, width, 3) as `crop.warp` does, each out of a picture that was halved until it suits."""
    height, width = input_size
    crops = np.empty((len(matrices), height, width, 3), dtype=np.uint8)
    for crop, matrix in zip(crops, matrices, strict=True):
        cv2.warpAffine(*_suited(image, matrix, input_size), (width, height), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def _suited(image: Image, matrix: NDArray[np.floating], size: tuple[int, int]) -> tuple[Image, NDArray[np.floating]]:
    """Return the part of a picture that a map (2, 3) shows, halved until it suits, and the map from there."""
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    halvings = 0 if scale > DENSE else int(np.floor(np.log2(DENSE / scale))) + 1
    step = 2**halvings
    corners = np.array([[0, 0], [size[1], 0], [0, size[0]], [size[1], size[0]]]) - matrix[:, 2]
    places = corners @ np.linalg.inv(matrix[:, :2]).T  # (4, 2) pixels of the picture
    limits = np.array(image.shape[1::-1]) // step * step
    first = np.clip(np.floor(places.min(0) / step - 1) * step, 0, limits).astype(int)
    last = np.clip(np.ceil(places.max(0) / step + 1) * step, 0, limits).astype(int)
    if halvings == 0 or (first >= last).any():
        return image, matrix
    part = image[first[1] : last[1], first[0] : last[0]]
    for _ in range(halvings):
        part = _half(part)
    shift = matrix[:, 2] + matrix[:, :2] @ (first + (step - 1) / 2)  # the middle of a large pixel's small ones
    return part, np.column_stack([step * matrix[:, :2], shift])


def _half(image: Image) -> Image:
    height, width = image.shape[:2]
    return np.asarray(cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8)
