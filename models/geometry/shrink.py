"""Make pictures smaller without what a bilinear map leaves out: it reads four pixels, however many there are.

Halving is the one exact average that OpenCV has a fast path for (a third of a millisecond at 1080p, where averages over
other areas take 3 to 12), so a picture is halved as long as it has more than twice the pixels, and then mapped.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

DENSE = 2**-0.5  # scale of a map from which it needs no halving: what is left is below half an octave either way


class Part(NamedTuple):
    """A rectangle of a picture that is halved some times, in pixels of the picture; right and bottom are outside."""

    halvings: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Pixels of the picture."""
        return (self.right - self.left) * (self.bottom - self.top)


def resize(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture (H, W, 3) or (H, W) at a smaller size (width, height)."""
    while image.shape[1] >= 2 * size[0] and image.shape[0] >= 2 * size[1]:
        image = _half(image)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def warp(image: Image, matrices: NDArray[np.floating], *, input_size: tuple[int, int]) -> Image:
    """Cut crops (N, height, width, 3) as `crop.warp` does, each out of a picture that was halved until it suits."""
    height, width = input_size
    crops = np.empty((len(matrices), height, width, 3), dtype=np.uint8)
    four = np.empty((height, width, 4), dtype=np.uint8)
    parts = _shared([_suited(image, matrix, input_size) for matrix in matrices])
    pictures = {part: _cut(image, part) for part in set(parts)}
    for crop, matrix, part in zip(crops, matrices, parts, strict=True):
        cv2.warpAffine(pictures[part], _from(part, matrix), (width, height), dst=four, flags=cv2.INTER_LINEAR)
        cv2.cvtColor(four, cv2.COLOR_BGRA2BGR, dst=crop)
    return crops


def _suited(image: Image, matrix: NDArray[np.floating], size: tuple[int, int]) -> Part:
    """Return the part of a picture that a map (2, 3) shows, halved until it suits."""
    (a, b, x), (c, d, y) = matrix.tolist()
    height, width = image.shape[:2]
    determinant = a * d - b * c
    scale = math.sqrt(abs(determinant))
    halvings = 0 if scale > DENSE else math.floor(math.log2(DENSE / scale)) + 1
    step = 2**halvings
    corners = [(u - x, v - y) for u in (0, size[1]) for v in (0, size[0])]
    across = [(d * u - b * v) / determinant for u, v in corners]
    down = [(a * v - c * u) / determinant for u, v in corners]
    left, right = _limited(min(across), max(across), step, width)
    top, bottom = _limited(min(down), max(down), step, height)
    part = Part(halvings, left, top, right, bottom)
    return part if part.area > 0 else Part(0, 0, 0, width, height)  # which shows black


def _limited(first: float, last: float, step: int, length: int) -> tuple[int, int]:
    """Return the multiples of `step` around a stretch, with one to spare, that lie in a side of the picture."""
    length -= length % step
    ends = step * math.floor(first / step - 1), step * math.ceil(last / step + 1)
    return min(max(ends[0], 0), length), min(max(ends[1], 0), length)


def _shared(parts: list[Part]) -> list[Part]:
    """Let those of equal halvings share the part around all of them, where it has fewer pixels than theirs together."""
    shared = {}
    for halvings in {part.halvings for part in parts}:
        alike = [part for part in parts if part.halvings == halvings]
        _, lefts, tops, rights, bottoms = zip(*alike, strict=True)
        around = Part(halvings, min(lefts), min(tops), max(rights), max(bottoms))
        if around.area < sum(part.area for part in alike):
            shared[halvings] = around
    return [shared.get(part.halvings, part) for part in parts]


def _cut(image: Image, part: Part) -> Image:
    """Return the pixels of a part with a fourth channel: OpenCV maps four of them in half the time that three take."""
    pixels = image[part.top : part.bottom, part.left : part.right]
    for _ in range(part.halvings):
        pixels = _half(pixels)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA), dtype=np.uint8)


def _from(part: Part, matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the map (2, 3) from the pixels of a part that does what `matrix` does from those of the picture."""
    step = 2**part.halvings
    first = np.array([part.left, part.top]) + (step - 1) / 2  # the middle of a large pixel's small ones
    return np.column_stack([step * matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ first])


def _half(image: Image) -> Image:
    height, width = image.shape[:2]
    return np.asarray(cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8)
