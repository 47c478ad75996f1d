"""What POTR's protocol does to people and their scores before COCO measures them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .coco import oks_nms

SMALL = 32**2  # square pixels; COCO has no keypoints for smaller people


def rescore_sets(box_scores: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how certain each person is: the box's score times the mean of the keypoints that are there.

    Args:
        box_scores: (N,).
        scores: (N, K) of the keypoints, 0 where there is none; a person without any gets 0.

    Returns:
        (N,).

    Source: `rescore_and_oks_nms` of PE-former.
    """
    return box_scores * scores.sum(1) / np.maximum((scores > 0).sum(1), 1)


def select_people(
    keypoints: NDArray[np.floating],
    scores: NDArray[np.floating],
    areas: NDArray[np.floating],
    *,
    threshold: float = 0.9,
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Keep the most certain of similar people of one picture; people of a small extent keep no score.

    Args:
        keypoints: (N, K, 2) pixels, NaN where one is missing.
        scores: (N,) of the people.
        areas: (N,) square pixels of their padded boxes.
        threshold: a person with a higher OKS to a kept one goes.

    Returns:
        The kept rows (M,), the most certain first, and their scores (M,).
    """
    points = np.nan_to_num(keypoints)  # a missing keypoint is (0, 0) to the original, and counts
    kept = oks_nms(points, scores, areas, threshold=threshold)
    extents = np.prod(np.nanmax(keypoints, 1, initial=-np.inf) - np.nanmin(keypoints, 1, initial=np.inf), axis=-1)
    return kept, np.where(extents[kept] < SMALL, 0.0, scores[kept])
