"""Decode SimCC: a distribution over x and one over y for each keypoint (Li et al. 2022; RTMPose: Jiang et al. 2023)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPLIT = 2.0  # bins per pixel of the crop: RTMPose's `simcc_split_ratio`

Array = NDArray[np.float32]


def decode(x: Array, y: Array) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Take the bin with the largest response of each axis.

    Args:
        x: (N, K, Wx) responses of the bins of x.
        y: (N, K, Wy) responses of the bins of y.

    Returns:
        Points (N, K, 2) in pixels of the crop, NaN where no bin responds, and scores (N, K): the mean of both maxima, 0
        there.

    Source: rtmlib `get_simcc_maximum`, which returns -1 in place of NaN; mmpose takes the smaller maximum as the score.
    """
    points = np.stack([x.argmax(-1), y.argmax(-1)], axis=-1) / SPLIT
    scores = (x.max(-1) + y.max(-1)) / 2
    found = scores > 0
    return np.where(found[..., None], points, np.nan), np.where(found, scores, 0.0)


def merge_mirrored(
    x: Array, y: Array, mirrored: tuple[Array, ...], flip_order: NDArray
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Average the responses with those of the mirrored crops (mmpose `flip_vectors`)."""
    return (x + mirrored[0][:, flip_order, ::-1]) / 2, (y + mirrored[1][:, flip_order]) / 2
