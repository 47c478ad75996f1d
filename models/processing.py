"""What surrounds a network: how its family cuts a person out of the picture and reads its heat maps.

Published weights are exact only within the conventions that they were trained in; these differ by up to a heat-map
pixel, so every network class names its own as the attribute `processing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import crop, heatmap

FloatArray = NDArray[np.floating]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Processing:
    """The conventions of one family.

    Attributes:
        regions: `(boxes (N, 4) xyxy, input_size) -> centers (N, 2), sizes (N, 2)` as (width, height) in pixels.
        matrices: `(centers, sizes, size) -> (N, 2, 3)`, from the picture to a target of `size` = (height, width): the
            crop, or the heat map, whose inverse brings decoded points back.
        decode: `heatmaps (N, K, h, w) -> points (N, K, 2), scores (N, K)` in heat-map pixels; NaN and 0 where missing.
    """

    regions: Callable[[FloatArray, Size], tuple[FloatArray, FloatArray]]
    matrices: Callable[[FloatArray, FloatArray, Size], FloatArray]
    decode: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]


UDP = Processing(
    regions=lambda boxes, input_size: crop.crop_regions(boxes, input_size=input_size),
    matrices=lambda centers, sizes, size: crop.crop_matrices(centers, sizes, input_size=size),
    decode=heatmap.decode,
)

DARK_TRANSPOSE = Processing(
    regions=lambda boxes, input_size: crop.transpose_regions(boxes, input_size=input_size),
    matrices=lambda centers, sizes, size: crop.transpose_matrices(centers, sizes, input_size=size),
    decode=heatmap.decode_transpose,
)
