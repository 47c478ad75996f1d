"""Decode MoveNet: the position and the score of each keypoint of one person.

Source: https://www.tensorflow.org/hub/tutorials/movenet, whose crops map the centres of the border pixels to 0 and 1,
as UDP does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def decode(rows: Array, size: tuple[int, int]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Scale relative coordinates to pixels.

    Args:
        rows: (N, 1, K, 3) y and x relative to the crop, and score.
        size: (height, width) of the crop in pixels.

    Returns:
        Points (N, K, 2) in pixels of the crop, and scores (N, K).
    """
    rows = rows[:, 0]
    return rows[..., 1::-1] * (size[1] - 1, size[0] - 1), rows[..., 2]
