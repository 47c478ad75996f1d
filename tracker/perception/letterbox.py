"""Bring a picture to the size that a detector takes, and say where its points went."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.geometry import shrink

GREY = 114  # what Ultralytics pads with


def letterbox(
    image: NDArray[np.uint8], *, size: int, stride: int = 32, shrinks: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]:
    """Bring a picture's longer side to `size` and pad both sides with grey to the next multiple of `stride`.

    The convention is Ultralytics' rectangular one (`LetterBox(auto=True)`), so its networks see what they are used to.

    Args:
        image: (H, W, 3).
        size: pixels.
        stride: pixels.
        shrinks: leave nothing out where it gets smaller, as `models.shrink` does; bilinear otherwise.

    Returns:
        The picture (h, w, 3), and scale (2,) and offset (2,) of x and y: point * scale + offset is its place there.
    """
    shape = image.shape[1], image.shape[0]
    ratio = size / max(shape)
    inner = max(round(shape[0] * ratio), 1), max(round(shape[1] * ratio), 1)
    if shrinks and inner[0] < shape[0] and inner[1] < shape[1]:
        image = shrink.resize(image, inner)
    elif inner != shape:
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    across, down = -inner[0] % stride, -inner[1] % stride
    left, top = across // 2, down // 2  # the odd pixel goes right and below
    canvas = cv2.copyMakeBorder(
        image, top, down - top, left, across - left, cv2.BORDER_CONSTANT, value=(GREY, GREY, GREY)
    )
    return np.asarray(canvas, np.uint8), np.array(inner) / shape, np.array([left, top])
