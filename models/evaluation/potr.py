"""Rescoring and suppression of people in POTR's protocol, before COCO's evaluation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .coco import oks_nms

SMALL = 32**2  # square pixels; COCO labels no keypoints of smaller people


def rescore_sets(box_scores: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the score of each person: box score times the mean score of the keypoints that are present.

    Args:
        box_scores: (N,).
        scores: (N, K) of the keypoints, 0 if missing; a person without keypoints gets 0.

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
    """Suppress similar people of lower score in one image; the score of small people becomes 0.

    Args:
        keypoints: (N, K, 2) pixels, NaN if missing.
        scores: (N,) of the people.
        areas: (N,) square pixels of their padded boxes.
        threshold: a person with a higher OKS to a kept one is suppressed.

    Returns:
        The kept rows (M,), by decreasing score, and their scores (M,).
    """
    points = np.nan_to_num(keypoints)  # in the original, a missing keypoint is (0, 0) and enters the OKS
    kept = oks_nms(points, scores, areas, threshold=threshold)
    extents = np.prod(np.nanmax(keypoints, 1, initial=-np.inf) - np.nanmin(keypoints, 1, initial=np.inf), axis=-1)
    return kept, np.where(extents[kept] < SMALL, 0.0, scores[kept])
