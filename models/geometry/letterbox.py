"""Resize and pad images for a detector."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import shrink

GREY = 114  # padding value of Ultralytics, YOLOX and mmdetection

Image8 = NDArray[np.uint8]
Fit = tuple[Image8, NDArray[np.float64], NDArray[np.int64]]  # image, scale and offset of x and y


def letterbox(
    image: Image8, *, size: int, stride: int = 32, shrinks: bool = False, shape: tuple[int, int] | None = None
) -> Fit:
    """Resize an image, keep its aspect ratio, and pad it with grey on both sides.

    This follows Ultralytics' `LetterBox`: by default its rectangular convention (`auto=True`), which its networks are
    trained with; with `shape` that of networks of one input size.

    Args:
        image: (H, W, 3).
        size: longer side of the resized image, pixels.
        stride: both sides are padded to a multiple of it, pixels.
        shrinks: average all pixels when downscaling, as `shrink.resize` does; bilinear otherwise.
        shape: (height, width) to fit the image into and to pad it to, in place of `size` and `stride`.

    Returns:
        The image (h, w, 3), and scale (2,) and offset (2,) of x and y: point * scale + offset maps a point to it.
    """
    sides = image.shape[1], image.shape[0]
    ratio = min(shape[1] / sides[0], shape[0] / sides[1]) if shape else size / max(sides)
    inner = max(round(sides[0] * ratio), 1), max(round(sides[1] * ratio), 1)
    if shrinks and inner[0] < sides[0] and inner[1] < sides[1]:
        image = shrink.resize(image, inner)
    elif inner != sides:
        image = _bilinear(image, inner)
    if shape:
        across, down = shape[1] - inner[0], shape[0] - inner[1]
    else:
        across, down = -inner[0] % stride, -inner[1] % stride
    left, top = across // 2, down // 2  # the odd pixel goes right and below
    canvas = _padded(image, top=top, bottom=down - top, left=left, right=across - left)
    return canvas, np.array(inner) / sides, np.array([left, top])


def corner(image: Image8, *, shape: tuple[int, int]) -> Fit:
    """Resize an image, keep its aspect ratio, and pad it with grey on the right and below.

    Args:
        image: (H, W, 3).
        shape: (height, width) of the result.

    Returns:
        The image (h, w, 3), scale and offset as of `letterbox`.

    Source: YOLOX `preproc`, which cuts the sides of the resized image to whole pixels.
    """
    ratio = min(shape[0] / image.shape[0], shape[1] / image.shape[1])
    inner = max(int(image.shape[1] * ratio), 1), max(int(image.shape[0] * ratio), 1)
    if inner != (image.shape[1], image.shape[0]):
        image = _bilinear(image, inner)
    canvas = _padded(image, bottom=shape[0] - inner[1], right=shape[1] - inner[0])
    return canvas, np.array([ratio, ratio]), np.zeros(2, np.int64)


def stretch(image: Image8, *, shape: tuple[int, int], smooth: bool) -> Fit:
    """Resize an image to a shape and ignore its aspect ratio.

    Args:
        image: (H, W, 3).
        shape: (height, width) of the result.
        smooth: average all pixels when downscaling, by Pillow's bilinear filter, as transformers' RT-DETR does;
            bilinear otherwise, as RF-DETR does.

    Returns:
        The image (h, w, 3), scale and offset as of `letterbox`.
    """
    sides = shape[1], shape[0]
    if smooth:
        canvas = np.asarray(Image.fromarray(image).resize(sides, Image.Resampling.BILINEAR))
    else:
        canvas = _bilinear(image, sides)
    return canvas, np.array([sides[0] / image.shape[1], sides[1] / image.shape[0]]), np.zeros(2, np.int64)


def _bilinear(image: Image8, sides: tuple[int, int]) -> Image8:
    return np.asarray(cv2.resize(image, sides, interpolation=cv2.INTER_LINEAR), np.uint8)


def _padded(image: Image8, *, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0) -> Image8:
    grey: Any = (GREY, GREY, GREY)
    return np.asarray(cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=grey), np.uint8)
