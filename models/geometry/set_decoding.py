"""From POTR's set of answers to one point a keypoint."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def decode_set(
    outputs: Mapping[str, NDArray[np.float32]], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give every keypoint the most certain of the queries that speak for it.

    A query speaks for its most probable keypoint, even where "no keypoint" is more probable still.

    Args:
        outputs: `pred_logits` (B, Q, K + 1), the last class being "no keypoint", and `pred_boxes` (B, Q, 2) in [0, 1].
        size: (height, width) of the crop in pixels.

    Returns:
        Points (B, K, 2) in crop pixels, NaN where no query speaks for a keypoint, and the queries' probabilities
        (B, K), 0 there.

    Source: `PostProcess` of PE-former, which walks through the queries by falling probability and writes (0, 0) where
    this returns NaN.
    """
    logits = outputs["pred_logits"]
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = (exponentials / exponentials.sum(-1, keepdims=True))[..., :-1]  # (B, Q, K)
    labels = probabilities.argmax(-1, keepdims=True)  # (B, Q, 1)
    own = np.zeros_like(probabilities)  # (B, Q, K), 0 where a query does not speak
    np.put_along_axis(own, labels, np.take_along_axis(probabilities, labels, axis=-1), axis=-1)
    queries = own.argmax(1)  # (B, K)
    scores = np.take_along_axis(own, queries[:, None], axis=1)[:, 0]
    points = np.take_along_axis(outputs["pred_boxes"], queries[..., None], axis=1) * (size[1], size[0])  # (B, K, 2)
    points = np.where(scores[..., None] == 0, np.nan, points)
    return points.astype(np.float32), scores.astype(np.float32)


def merge_mirrored(points: Array, mirrored: Array, *, width: int, flip_order: NDArray[np.intp]) -> Array:
    """Average the points of a crop with those of its mirrored copy; one of them alone where the other is missing.

    The original keeps the scores of the crop itself, so a point that only the mirrored copy has keeps the score 0.

    Args:
        points: (B, K, 2) crop pixels.
        mirrored: (B, K, 2) pixels of the mirrored crop.
        width: of the crop in pixels.
        flip_order: (K,) the row that each keypoint has in a mirrored picture.
    """
    back = mirrored[:, flip_order] * (-1, 1) + (width, 0)  # x -> width - x
    return np.where(np.isnan(points), back, np.where(np.isnan(back), points, (points + back) / 2))
