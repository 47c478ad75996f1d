"""Decode an image file that is in memory."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def decode(data: bytes | NDArray[np.uint8], *, upright: bool = True) -> NDArray[np.uint8]:
    """Return an image of any depth and channel count as (H, W, 3) BGR uint8, without transparency.

    Args:
        data: contents of the file.
        upright: whether the image is turned by its EXIF orientation; annotations are in stored pixels, which are not.

    Raises:
        ValueError: it cannot be decoded; the message is a part of a sentence, "is empty".
        MemoryError: the memory is too small for it.
    """
    flags = cv2.IMREAD_COLOR | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION)
    if not len(data):
        raise ValueError("is empty")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(error.err) from None
        raise ValueError("states more pixels than OpenCV reads") from None
    if image is None:
        raise ValueError("contains no image that OpenCV can decode")
    return np.asarray(image, np.uint8)
