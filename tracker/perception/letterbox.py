"""Resize and pad images for a detector."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...models.geometry import shrink

GREY = 114  # Ultralytics' padding value


def letterbox(
    image: NDArray[np.uint8], *, size: int, stride: int = 32, shrinks: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]:
    """Resize the longer side of an image to `size` and pad both sides with grey to a multiple of `stride`.

    This follows Ultralytics' rectangular convention (`LetterBox(auto=True)`), which its networks are trained with.

    Args:
        image: (H, W, 3).
        size: longer side of the result, pixels.
        stride: pixels.
        shrinks: average all pixels when downscaling, as `models.geometry.shrink` does; bilinear otherwise.

    Returns:
        The image (h, w, 3), and scale (2,) and offset (2,) of x and y: point * scale + offset maps a point to it.
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


def stretch(image: NDArray[np.uint8], *, size: int) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]:
    """Resize an image (H, W, 3) to a square of `size` by Pillow's bilinear filter, as transformers' RT-DETR has it.

    Returns:
        The image (size, size, 3), scale and offset as of `letterbox`.
    """
    canvas = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
    return canvas, np.array([size / image.shape[1], size / image.shape[0]]), np.zeros(2, np.int64)
