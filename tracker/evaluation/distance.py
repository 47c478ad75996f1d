"""Keypoint distances between two sets of tracks, in percent of the person's height."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .matching import Comparison

CONFIDENT = 0.3  # minimum score of a confident keypoint in the truth

Array = NDArray[np.float64]


def distances(comparison: Comparison) -> tuple[Array, Array]:
    """Measure the distances of all keypoints of matched people, regardless of their ids.

    Returns:
        Distances (N,) in percent of the true box's height, and the truth's scores (N,). Keypoints that are missing on
        either side are skipped.
    """
    rows, others = comparison.pairs()
    truth, result = comparison.truth[rows], comparison.result.in_skeleton(comparison.truth.skeleton)[others]
    heights = np.maximum(truth.boxes[:, 3] - truth.boxes[:, 1], 1.0)[:, None]
    found = 100 * np.linalg.norm(truth.keypoints - result.keypoints, axis=-1) / heights
    both = np.isfinite(found)
    return found[both], truth.scores[both]


def measure_distance(videos: Iterable[tuple[Array, Array]]) -> dict[str, float]:
    """Summarize the results of `distances` for one or several videos.

    Returns:
        `distance` and `distance_p95`, median and 95th percentile of all distances, and `confident` and `confident_p95`,
        the same for keypoints with a score of at least `CONFIDENT` in the truth. NaN if there are none.
    """
    pairs = [(np.zeros(0), np.zeros(0)), *videos]
    found, scores = (np.concatenate(side) for side in zip(*pairs, strict=True))
    confident = found[scores >= CONFIDENT]
    return {
        "distance": _percentile(found, 50),
        "distance_p95": _percentile(found, 95),
        "confident": _percentile(confident, 50),
        "confident_p95": _percentile(confident, 95),
    }


def _percentile(values: Array, share: int) -> float:
    return float(np.percentile(values, share)) if len(values) else float("nan")
