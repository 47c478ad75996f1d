"""How people look: colour histograms of their upper and lower half, by which somebody who comes back is known again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The middle of a box is nearly always the person's; beside it is background. Shares of the box's width and height.
_ACROSS = (0.3, 0.7)
_HALVES = ((0.15, 0.5), (0.5, 0.85))
_SAMPLES = 16  # along each side of a half: a sample costs the same however large the person is
_LEVELS = 8  # of each colour channel
_STEPS = np.linspace(0, 1, _SAMPLES)
_GRID = np.reshape(  # (1, S, 2) in shares of the box, the upper half before the lower one
    [
        np.stack(np.meshgrid(_ACROSS[0] + (_ACROSS[1] - _ACROSS[0]) * _STEPS, top + (bottom - top) * _STEPS), axis=-1)
        for top, bottom in _HALVES
    ],
    (1, -1, 2),
)


def looks(image: NDArray[np.uint8], boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Describe people by the colours of their upper and lower half.

    The square roots of the shares of colours: the product of two such descriptions is the Bhattacharyya coefficient of
    the histograms. Measured on people who are hidden or away for up to two seconds, this tells them apart better than
    pooled features of the bundled pose network, which learns to overlook clothes.

    Args:
        image: (H, W, 3) BGR.
        boxes: (N, 4) xyxy pixels.

    Returns:
        (N, 1024), each of length 1.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    low, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
    limits = np.array([image.shape[1], image.shape[0]]) - 1
    x, y = np.moveaxis(np.clip(low + _GRID * size, 0, limits).astype(np.intp), -1, 0)  # (N, S) each
    levels = image[y, x] // (256 // _LEVELS)  # (N, S, 3)
    colours = levels @ np.array([_LEVELS**2, _LEVELS, 1])  # (N, S)
    bins = len(_HALVES) * _LEVELS**3
    colours += np.repeat(np.arange(len(_HALVES)) * _LEVELS**3, _SAMPLES**2)
    colours += np.arange(len(boxes))[:, None] * bins
    counts = np.bincount(colours.ravel(), minlength=len(boxes) * bins).reshape(len(boxes), bins)
    return np.sqrt(counts / _GRID.shape[1]).astype(np.float32)
