"""Convert images to the format of the tracker: (H, W, 3) BGR uint8."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

_FEW_BITS = 12  # of machine vision cameras whose values are not scaled to 16 bits


def as_bgr(image: Any) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) BGR uint8; an image of that format is returned unchanged.

    Args:
        image: an array (H, W) or (H, W, 1), grey; (H, W, 3), BGR; or (H, W, 4), BGRA, whose alpha is dropped.
            uint8; uint16 over its full range; bool; whole numbers from 0 to 255; or floating numbers from 0 to 1.

    Raises:
        InputError: the array has another shape, dtype or range.

    A uint16 image of at most 12 bits, which is nearly black, is converted with a warning.
    """
    if not isinstance(image, np.ndarray):
        raise InputError(
            f"An image is of type {type(image).__name__}; give a numpy array (H, W, 3), BGR, such as frame.image. "
            "An RGB image of Pillow: numpy.asarray(image.convert('RGB'))[..., ::-1]."
        )
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3, 4) or 0 in image.shape:
        raise InputError(f"An image has the shape {image.shape}; give {_wanted(image.shape)}.")
    if image.dtype != np.uint8:
        image = _as_uint8(image)
    if image.ndim == 2 or channels == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return image if channels == 3 else np.ascontiguousarray(image[..., :3])


def _wanted(shape: tuple[int, ...]) -> str:
    if 0 in shape:
        return "one with pixels in it"
    if len(shape) == 4:
        return "single images, or a list of them"
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return "(H, W, 3): the channels come last, as after image.transpose(1, 2, 0)"
    return "(H, W, 3), BGR; (H, W, 4), BGRA; or (H, W), grey"


def _warn_if_dark(image: NDArray[np.uint16]) -> None:
    bits = int(image.max()).bit_length()
    if 0 < bits <= _FEW_BITS:
        warnings.warn(
            f"An image of uint16 uses {bits} of 16 bits and is nearly black. If its white has {bits} bits, give "
            f"image << {16 - bits}.",
            stacklevel=2,
        )


def _as_uint8(image: NDArray[Any]) -> NDArray[np.uint8]:
    kind = image.dtype.kind
    if kind not in "buif":
        raise InputError(f"An image has the dtype {image.dtype}; give uint8, or floating numbers from 0 to 1.")
    if kind == "b":
        return image.astype(np.uint8) * np.uint8(255)
    if image.dtype == np.uint16:
        _warn_if_dark(image)
        return (image // 257).astype(np.uint8)
    low, high = image.min(), image.max()
    most = 1 if kind == "f" else 255
    if not (low >= 0 and high <= most):  # NaN, too
        values = f"An image of {image.dtype} has values from {low:g} to {high:g}"
        raise InputError(f"{values}; give values from 0 to {most}, or uint8, as of image.clip(0, 255).astype('uint8').")
    return np.rint(image * 255.0).astype(np.uint8) if kind == "f" else image.astype(np.uint8)
