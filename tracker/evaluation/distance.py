"""How far the keypoints of two sets of tracks are apart, in per cent of the person's height."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .matching import Comparison

SURE = 0.3  # score from which a keypoint counts as one that the truth is sure of

Array = NDArray[np.float64]


def distances(comparison: Comparison) -> tuple[Array, Array]:
    """Measure every keypoint of everybody who is in both, whatever their ids.

    Returns:
        How far each is apart (N,), in per cent of the true box's height, and the truth's score (N,). Keypoints that one
        of them has not are left out.
    """
    rows, others = comparison.pairs()
    truth, result = comparison.truth[rows], comparison.result.in_skeleton(comparison.truth.skeleton)[others]
    heights = np.maximum(truth.boxes[:, 3] - truth.boxes[:, 1], 1.0)[:, None]
    apart = 100 * np.linalg.norm(truth.keypoints - result.keypoints, axis=-1) / heights
    both = np.isfinite(apart)
    return apart[both], truth.scores[both]


def measure_distance(videos: Iterable[tuple[Array, Array]]) -> dict[str, float]:
    """Summarise what `distances` gives of one or several videos.

    Returns:
        `apart` and `apart_p95`, the median and the 95th percentile, and the same as `sure` and `sure_p95` of keypoints
        that the truth scores at `SURE` or above. NaN where there are none.
    """
    pairs = [(np.zeros(0), np.zeros(0)), *videos]
    apart, scores = (np.concatenate(side) for side in zip(*pairs, strict=True))
    sure = apart[scores >= SURE]
    return {
        "apart": _percentile(apart, 50),
        "apart_p95": _percentile(apart, 95),
        "sure": _percentile(sure, 50),
        "sure_p95": _percentile(sure, 95),
    }


def _percentile(values: Array, share: int) -> float:
    return float(np.percentile(values, share)) if len(values) else float("nan")
