"""MPII's metric, PCKh: the fraction of keypoints within half a head size of the ground truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry.processing import Processing
from ..geometry.skeletons import MPII

BIAS = 0.6  # head size relative to the diagonal of the head box
GROUPS = {
    "Head": ("head_top",),
    **{
        part.title(): (f"left_{part}", f"right_{part}")
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
MPII_METRICS = (*GROUPS, "PCKh", "PCKh@0.1")
EXCLUDED = ("pelvis", "thorax")  # excluded from the mean

Array = NDArray[np.floating]


def pckh(points: Array, truth: Array, visible: NDArray[np.bool_], heads: Array, *, threshold: float = 0.5) -> Array:
    """Return the fraction of people with the keypoint within a distance of the ground truth, for each keypoint.

    Args:
        points: (N, K, 2) pixels; NaN counts as too far.
        truth: (N, K, 2) pixels.
        visible: (N, K), which keypoints are labelled.
        heads: (N,) pixels, the size of each head.
        threshold: maximum distance in head sizes.

    Returns:
        (K,) in [0, 1]; NaN for a keypoint that is never labelled.

    Source: MPII's `evalMPII` as HRNet and mmpose compute it.
    """
    distances = np.linalg.norm(points - truth, axis=-1) / heads[:, None]  # (N, K)
    hits = ((distances <= threshold) & visible).sum(0)
    counts = visible.sum(0)
    return np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)


def mpii_metrics(truth: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return MPII's metrics.

    Args:
        truth: MPII as read by `annotations`: COCO's format with 16 keypoints, and the head size `head` of every person
            in pixels.
        results: one for every person of `truth` with a keypoint, in the same order within an image, with `image_id`
            and `keypoints` (x, y, score).

    Returns:
        `MPII_METRICS` in [0, 1]: groups of keypoints at half a head size; the mean of all keypoints except pelvis and
        thorax at half and at a tenth of a head size; every keypoint by name at half a head size. -1 if none is
        labelled.
    """
    waiting = defaultdict(list)
    for result in results:
        waiting[result["image_id"]].append(result["keypoints"])
    measured = [a for a in truth["annotations"] if any(a["keypoints"][2::3])]
    points = [waiting[a["image_id"]].pop(0) for a in measured]
    predicted = np.array(points, dtype=float).reshape(-1, len(MPII), 3)[..., :2]
    people = np.array([a["keypoints"] for a in measured], dtype=float).reshape(-1, len(MPII), 3)
    heads = np.array([a["head"] for a in measured], dtype=float)
    visible = people[..., 2] > 0

    half, tenth = (pckh(predicted, people[..., :2], visible, heads, threshold=t) for t in (0.5, 0.1))
    joints = dict(zip(MPII.keypoints, half, strict=True))
    weights = visible.sum(0) * [name not in EXCLUDED for name in MPII.keypoints]
    figures = {group: np.mean([joints[name] for name in names]) for group, names in GROUPS.items()}
    figures |= {"PCKh": _mean(half, weights), "PCKh@0.1": _mean(tenth, weights)} | joints
    return {name: float(np.nan_to_num(value, nan=-1.0)) for name, value in figures.items()}


def _mean(shares: Array, weights: NDArray[np.integer]) -> float:
    return float((np.nan_to_num(shares) * weights).sum() / weights.sum()) if weights.sum() else np.nan


def square_regions(conventions: Processing) -> Processing:
    """Return a family's conventions with MPII's crops: square in the image, for any input size of the network.

    A network whose input is taller than wide sees horizontally compressed people, as ViTPose does on MPII, also in
    training.

    Source: `TopDownMpiiDataset` and `TopDownAffine(use_udp=True)` of mmpose 0.x.
    """

    def enlarge(boxes: Array, *, input_size: tuple[int, int], padding: float) -> tuple[Array, Array]:
        boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        return (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * padding

    return replace(conventions, enlarge=enlarge)
