"""Downscale images without aliasing, which bilinear interpolation causes because it reads only four pixels.

Halving is the only area average for which OpenCV has a fast path (0.3 ms at 1080p; other factors take 3 to 12 ms). An
image is therefore halved while it is more than twice too large, and then interpolated.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

DENSE = 2**-0.5  # scale from which no halving is needed; with it, the remaining scale is within half an octave of 1


class Part(NamedTuple):
    """A rectangle of an image to be halved `halvings` times, in image pixels; right and bottom are exclusive."""

    halvings: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Area in image pixels."""
        return (self.right - self.left) * (self.bottom - self.top)


def resize(image: Image, size: tuple[int, int]) -> Image:
    """Return an image (H, W, 3) or (H, W) resized to a smaller size (width, height)."""
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        image = _half(image)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def warp(image: Image, matrices: NDArray[np.floating], *, input_size: tuple[int, int]) -> Image:
    """Cut crops (N, height, width, 3) as `crop.warp` does, each from an image halved to the crop's resolution."""
    height, width = input_size
    crops = np.empty((len(matrices), height, width, 3), dtype=np.uint8)
    bgra = np.empty((height, width, 4), dtype=np.uint8)
    parts = _merged([_visible_part(image, matrix, input_size) for matrix in matrices])
    halved = {part: _cut(image, part) for part in set(parts)}
    for crop, matrix, part in zip(crops, matrices, parts, strict=True):
        cv2.warpAffine(halved[part], _part_matrix(part, matrix), (width, height), dst=bgra, flags=cv2.INTER_LINEAR)
        cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR, dst=crop)
    return crops


def halvings(matrix: NDArray[np.floating]) -> int:
    """Return how often to halve an image before an affine map (2, 3) interpolates it."""
    (a, b, _), (c, d, _) = matrix.tolist()
    scale = math.sqrt(abs(a * d - b * c))
    return 0 if scale > DENSE else math.floor(math.log2(DENSE / scale)) + 1


def _visible_part(image: Image, matrix: NDArray[np.floating], size: tuple[int, int]) -> Part:
    """Return the part of an image that an affine map (2, 3) reads, and how often to halve it."""
    (a, b, x), (c, d, y) = matrix.tolist()
    height, width = image.shape[:2]
    determinant = a * d - b * c
    times = halvings(matrix)
    step = 2**times
    corners = [(u - x, v - y) for u in (0, size[1]) for v in (0, size[0])]
    across = [(d * u - b * v) / determinant for u, v in corners]
    down = [(a * v - c * u) / determinant for u, v in corners]
    left, right = _limited(min(across), max(across), step, width)
    top, bottom = _limited(min(down), max(down), step, height)
    part = Part(times, left, top, right, bottom)
    return part if part.area > 0 else Part(0, 0, 0, width, height)  # nothing is visible: the crop is black


def _limited(first: float, last: float, step: int, length: int) -> tuple[int, int]:
    """Return the multiples of `step` that enclose an interval, with a margin of one step, clipped to `length`."""
    length -= length % step
    ends = step * math.floor(first / step - 1), step * math.ceil(last / step + 1)
    return min(max(ends[0], 0), length), min(max(ends[1], 0), length)


def _merged(parts: list[Part]) -> list[Part]:
    """Replace parts of equal halvings by their bounding part if it is smaller than all of them together."""
    bounding = {}
    for halvings in {part.halvings for part in parts}:
        group = [part for part in parts if part.halvings == halvings]
        _, lefts, tops, rights, bottoms = zip(*group, strict=True)
        around = Part(halvings, min(lefts), min(tops), max(rights), max(bottoms))
        if around.area < sum(part.area for part in group):
            bounding[halvings] = around
    return [bounding.get(part.halvings, part) for part in parts]


def _cut(image: Image, part: Part) -> Image:
    """Return the pixels of a part as BGRA, because OpenCV warps four channels twice as fast as three."""
    pixels = image[part.top : part.bottom, part.left : part.right]
    for _ in range(part.halvings):
        pixels = _half(pixels)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA), dtype=np.uint8)


def _part_matrix(part: Part, matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from a halved part that is equivalent to `matrix` from the image."""
    step = 2**part.halvings
    first = np.array([part.left, part.top]) + (step - 1) / 2  # centre of the first halved pixel, in image pixels
    return np.column_stack([step * matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ first])


def _half(image: Image) -> Image:
    height, width = image.shape[:2]
    return np.asarray(cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8)
