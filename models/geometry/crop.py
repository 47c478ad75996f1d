"""Crops: the affine map from a person's box to the network input, and its exact inverse.

There are three conventions. `crop_*`: UDP (Huang et al. 2020, "The devil is in the details"), used by ViTPose. It maps
pixel centres to pixel centres, so the unit of length is the distance between the first and the last pixel, `size - 1`:

    x' = (x - cx) (W - 1) / w + (W - 1) / 2        y' = (y - cy) (H - 1) / h + (H - 1) / 2

`transpose_*`: TransPose's (and DARK's). The region's size is also measured between pixel centres, and the scale of the
width is used for both axes:

    x' = (x - cx) (W - 1) / (w - 1) + (W - 1) / 2  y' = (y - cy) (W - 1) / (w - 1) + (H - 1) / 2

`potr_*`: POTR's, taken from "Simple Baselines" (Xiao et al. 2018). The unit of length is the full width, and one
scale is used for both axes:

    x' = (x - cx) W / w + W / 2
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

PADDING = 1.25  # size of the crop relative to the person's box; every published network was trained with this value

_IDENTITY = np.eye(2)

# ImageNet statistics of RGB in [0, 1], used by every published model
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def crop_regions(
    boxes: FloatArray, *, input_size: tuple[int, int], padding: float = PADDING
) -> tuple[FloatArray, FloatArray]:
    """Enlarge boxes to the crop's aspect ratio and pad them.

    Args:
        boxes: (N, 4) xyxy pixels.
        input_size: (height, width) of the crop.
        padding: factor on both sides.

    Returns:
        Centres (N, 2) and sizes (N, 2) as (width, height), in pixels of the image.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    aspect = input_size[1] / input_size[0]
    first, last = boxes[:, :2], boxes[:, 2:]
    sides = np.maximum(last - first, 1.0)  # a degenerate box still gives an invertible map
    return (first + last) / 2, np.maximum(sides, sides[:, ::-1] * (aspect, 1 / aspect)) * padding


def crop_matrices(
    centers: FloatArray, sizes: FloatArray, *, input_size: tuple[int, int], rotations: FloatArray | None = None
) -> FloatArray:
    """Return the UDP affine maps (N, 2, 3) from image pixels to crop pixels.

    Args:
        centers: (N, 2) pixels.
        sizes: (N, 2) width and height in pixels.
        input_size: (height, width) of the target: the crop, or the heat map for decoding.
        rotations: (N,) clockwise rotations of the crop's content, radians; None for no rotation.

    Source: mmpose 0.x `get_warp_matrix`.
    """
    height, width = input_size
    scale = np.array([width - 1, height - 1]) / sizes  # (N, 2)
    return _maps(scale[:, :, None] * _rotation_matrices(rotations), centers, np.array([width - 1, height - 1]) / 2)


def transpose_regions(
    boxes: FloatArray, *, input_size: tuple[int, int], padding: float = PADDING
) -> tuple[FloatArray, FloatArray]:
    """Enlarge boxes like `crop_regions`, but with centres half a pixel less, as TransPose does.

    Source: TransPose `_xywh2cs`, x + (w - 1) / 2.
    """
    centers, sizes = crop_regions(boxes, input_size=input_size, padding=padding)
    return centers - 0.5, sizes


def transpose_matrices(
    centers: FloatArray, sizes: FloatArray, *, input_size: tuple[int, int], rotations: FloatArray | None = None
) -> FloatArray:
    """Return TransPose's affine maps (N, 2, 3) from image pixels to crop pixels; arguments as in `crop_matrices`.

    Source: TransPose `get_affine_transform`, whose positive angles are counter-clockwise.
    """
    height, width = input_size
    widths = np.asarray(sizes)[:, :1]
    # UDP with a region w - 1 pixels wide, whose height gives the same scale
    regions = (widths - 1) * [1, (height - 1) / (width - 1)]
    return crop_matrices(centers, regions, input_size=input_size, rotations=rotations)


def potr_matrices(
    centers: FloatArray, sizes: FloatArray, *, input_size: tuple[int, int], rotations: FloatArray | None = None
) -> FloatArray:
    """Return POTR's affine maps (N, 2, 3) from image pixels to crop pixels.

    Args:
        centers: (N, 2) pixels.
        sizes: (N, 2) width and height in pixels; the height is not used.
        input_size: (height, width) of the crop.
        rotations: (N,) clockwise rotations of the crop's content, radians; None for no rotation.

    Source: `get_affine_transform` of Simple Baselines, whose positive angles are counter-clockwise.
    """
    height, width = input_size
    scale = width / sizes[:, 0]  # (N,)
    return _maps(scale[:, None, None] * _rotation_matrices(rotations), centers, np.array([width, height]) / 2)


def _maps(linear: FloatArray, centers: FloatArray, middle: FloatArray) -> FloatArray:
    """Return the affine maps (N, 2, 3) with `linear` (N, 2, 2) that map `centers` (N, 2) to `middle` (2,)."""
    matrices = np.empty((len(linear), 2, 3))
    matrices[:, :, :2] = linear
    matrices[:, :, 2] = middle - (linear @ np.asarray(centers)[:, :, None])[:, :, 0]
    return matrices


def _rotation_matrices(rotations: FloatArray | None) -> FloatArray:
    """Return rotation matrices (N, 2, 2), or the identity (2, 2) if `rotations` is None."""
    if rotations is None:
        return _IDENTITY
    angle = np.asarray(rotations, dtype=np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)


def invert(matrices: FloatArray) -> FloatArray:
    """Return the inverse affine maps (N, 2, 3)."""
    (a, b), (c, d) = matrices[:, :, :2].transpose(1, 2, 0)
    inverse = np.empty((len(matrices), 2, 3))
    inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 0], inverse[:, 1, 1] = d, -b, -c, a
    inverse[:, :, :2] /= (a * d - b * c)[:, None, None]
    inverse[:, :, 2:] = -inverse[:, :, :2] @ matrices[:, :, 2:]
    return inverse


def transform(points: FloatArray, matrices: FloatArray) -> FloatArray:
    """Map points (N, K, 2) with one affine map per person (N, 2, 3)."""
    return points @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2]


def warp(image: NDArray[np.uint8], matrices: FloatArray, *, input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """Cut crops (N, height, width, 3) out of one image (H, W, 3); pixels outside it are black."""
    height, width = input_size
    crops = np.empty((len(matrices), height, width, 3), dtype=np.uint8)
    for crop, matrix in zip(crops, matrices, strict=True):
        cv2.warpAffine(image, matrix, (width, height), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


# Scale and offset of red, green and blue that map 0..255 to normalised values
FACTORS, SHIFTS = tuple((1 / (255 * STD)).tolist()), tuple((-MEAN / STD).tolist())


def normalize(
    crops: NDArray[np.uint8],
    out: NDArray[np.float32] | None = None,
    *,
    factors: Sequence[float] = FACTORS,
    shifts: Sequence[float] = SHIFTS,
) -> NDArray[np.float32]:
    """Convert BGR crops (N, H, W, 3) uint8 to normalised RGB planes (N, 3, H, W), written to `out` if given."""
    n, height, width, _ = crops.shape
    images = np.empty((n, 3, height, width), np.float32) if out is None else out
    for crop, image in zip(crops, images, strict=True):
        planes(crop, image, factors=factors, shifts=shifts)
    return images


def planes(
    image: NDArray[np.uint8],
    out: NDArray[np.float32],
    *,
    factors: Sequence[float],
    shifts: Sequence[float],
    rgb: bool = True,
) -> None:
    """Convert a BGR image (H, W, 3) uint8 to planes (3, H, W), RGB or BGR: value * factor + shift, per plane."""
    colors = np.empty(out.shape, np.uint8)
    cv2.split(image, tuple(colors))
    # uint8 to float32 in one pass: OpenCV's Python API lacks `convertTo`; adding the image with weight 0 is equivalent
    for color, plane, factor, shift in zip(colors[::-1] if rgb else colors, out, factors, shifts, strict=True):
        cv2.addWeighted(color, factor, color, 0, shift, dst=plane, dtype=cv2.CV_32F)
