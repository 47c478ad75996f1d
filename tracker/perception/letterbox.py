"""Bring a picture to the size that a detector takes, and say where its points went."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models import shrink

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
    shape = np.array(image.shape[1::-1])  # width, height
    inner = np.maximum(np.round(shape * (size / shape.max())).astype(int), 1)
    if shrinks and (inner < shape).all():
        image = shrink.resize(image, tuple(inner.tolist()))
    elif (inner != shape).any():
        image = cv2.resize(image, tuple(inner.tolist()), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    padding = -inner % stride
    before = np.ceil(padding / 2 - 0.5).astype(int)  # the odd pixel goes right and below
    (left, top), (right, bottom) = before, padding - before
    canvas = cv2.copyMakeBorder(
        np.asarray(image), top, bottom, left, right, cv2.BORDER_CONSTANT, value=(GREY, GREY, GREY)
    )
    return canvas, inner / shape, before  # type: ignore[return-value]
