"""Decode the set prediction of POTR to one point per keypoint."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def decode_set(
    outputs: Mapping[str, NDArray[np.float32]], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Assign to every keypoint the most probable of the queries that predict it.

    A query predicts its most probable keypoint, even if "no keypoint" is more probable still.

    Args:
        outputs: `pred_logits` (B, Q, K + 1), the last class being "no keypoint", and `pred_boxes` (B, Q, 2) in [0, 1].
        size: (height, width) of the crop in pixels.

    Returns:
        Points (B, K, 2) in crop pixels, NaN where no query predicts a keypoint, and the queries' probabilities
        (B, K), 0 there.

    Source: `PostProcess` of PE-former, which visits the queries by decreasing probability and writes (0, 0) where
    this function returns NaN.
    """
    logits = outputs["pred_logits"]
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = (exponentials / exponentials.sum(-1, keepdims=True))[..., :-1]  # (B, Q, K)
    labels = probabilities.argmax(-1, keepdims=True)  # (B, Q, 1)
    predicted = np.zeros_like(probabilities)  # (B, Q, K), 0 except for the keypoint that a query predicts
    np.put_along_axis(predicted, labels, np.take_along_axis(probabilities, labels, axis=-1), axis=-1)
    queries = predicted.argmax(1)  # (B, K)
    scores = np.take_along_axis(predicted, queries[:, None], axis=1)[:, 0]
    points = np.take_along_axis(outputs["pred_boxes"], queries[..., None], axis=1) * (size[1], size[0])  # (B, K, 2)
    points = np.where(scores[..., None] == 0, np.nan, points)
    return points.astype(np.float32), scores.astype(np.float32)


def merge_mirrored(points: Array, mirrored: Array, *, width: int, flip_order: NDArray[np.intp]) -> Array:
    """Average the points of a crop with those of its mirrored copy; where one is missing, take the other.

    As in the original, the scores are those of the unmirrored crop, so a point found only in the mirrored copy has the
    score 0.

    Args:
        points: (B, K, 2) crop pixels.
        mirrored: (B, K, 2) pixels of the mirrored crop.
        width: of the crop, pixels.
        flip_order: (K,) row of each keypoint's counterpart in a mirrored image.
    """
    back = mirrored[:, flip_order] * (-1, 1) + (width, 0)  # x -> width - x
    return np.where(np.isnan(points), back, np.where(np.isnan(back), points, (points + back) / 2))
