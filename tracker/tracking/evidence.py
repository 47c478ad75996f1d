"""How much a pose looks like a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_POSE = 2.0  # weight of the keypoint score, if that of the box score is 1
_DOUBT = 0.1  # distance from `person_score` at which a pose is entirely a person, or entirely none


def best(scores: Array) -> Array:
    """Return the mean (N,) of the highest third of each pose's keypoint scores (N, K), those of the visible parts."""
    count = max((scores.shape[1] + 2) // 3, 1)
    return np.asarray(np.sort(scores, axis=1)[:, -count:].mean(-1))


def evidence_of_person(box_scores: Array, scores: Array, person_score: float) -> Array:
    """Return how strong the evidence of a person is in each pose (N,), in [-1, 1]; below 0, it is evidence against.

    It is 0 if the mean of the box score and the keypoint score of the visible parts, which counts twice, equals
    `person_score`, and 1 if that mean is .1 higher. It is 1 for poses without keypoints, and for boxes with score 1,
    which no detector gives: they come from a file or a function of the user.

    Args:
        box_scores: (N,).
        scores: (N, K) keypoint scores; 0 where missing.
        person_score: see `TrackerConfig`.
    """
    mean = (box_scores + _POSE * best(scores)) / (1 + _POSE)
    doubtful = scores.any(-1) & (box_scores < 1)
    return np.where(doubtful, np.clip((mean - person_score) / _DOUBT, -1.0, 1.0), 1.0)
