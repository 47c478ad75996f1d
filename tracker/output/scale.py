"""Sizes of what is drawn on an image: in proportion to it, and within the range of OpenCV."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FAR = 30_000  # pixels; beyond it OpenCV's fixed point overflows


def side(image: NDArray[np.uint8]) -> float:
    """Return the side in pixels of a square with the area of an image (H, W, 3)."""
    return math.sqrt(image.shape[0] * image.shape[1])


def line_width(side: float, *, person: float) -> float:
    """Return the width of limbs in pixels: proportional to the person, within limits set by the image."""
    return max(1.0, min(max(0.014 * person, 0.0012 * side), 0.0045 * side))


def cap_height(side: float, *, limb: float = 0.0) -> int:
    """Return the height of a label's capital letters in pixels, for a person with limbs of this width."""
    return round(max(8.0, 0.014 * side, min(5 * limb, 0.03 * side)))
