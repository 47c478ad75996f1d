"""Look again for people whose pose is that of a neighbour in their box.

A pose network describes the most prominent person of a crop. Where people stand close together or reach in front of
one another, that may be someone else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import areas, intersections
from ..types import Poses

_SURE = 0.3  # minimum confidence of a keypoint that counts
_NEAR = 0.06  # of the root of the neighbour's box area: distance below which two keypoints are the same
_LEAST, _SHARE = 3, 0.4  # keypoints of the neighbour from which a pose is in doubt: number, and share of all
_REST = 0.2  # minimum share of the box beside the neighbour
_CONFIDENT = 0.85  # minimum confidence of the pose found there, relative to that of the doubted one


def doubtful(poses: Poses) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Return the people whose pose is largely that of a neighbour with a more confident one.

    Returns:
        M rows of `poses`, and the largest part (M, 4) of each one's box beside the neighbour's, xyxy pixels.
    """
    boxes = np.asarray(poses.boxes, np.float64)
    confidences = poses.scores.mean(1)
    pairs = (intersections(boxes, boxes) > 0) & (confidences[:, None] <= confidences)
    np.fill_diagonal(pairs, False)
    people, neighbours = np.nonzero(pairs)
    sure = poses.scores >= _SURE
    distances = np.linalg.norm(poses.keypoints[people] - poses.keypoints[neighbours], axis=-1)
    near = distances < _NEAR * np.sqrt(areas(boxes[neighbours]))[:, None]
    same = (sure[people] & sure[neighbours] & near).sum(1)
    beside = _beside(boxes[people], boxes[neighbours])
    doubted = (
        (same >= _LEAST) & (same >= _SHARE * sure[people].sum(1)) & (areas(beside) >= _REST * areas(boxes[people]))
    )
    rows, first = np.unique(people[doubted], return_index=True)
    return rows, beside[doubted][first]


def corrected(poses: Poses, rows: NDArray[np.intp], found: Poses) -> Poses:
    """Return the poses, with those found beside the neighbours of `rows` if they are confident enough."""
    used = found.scores.mean(1) >= _CONFIDENT * poses.scores[rows].mean(1)
    arrays = {name: getattr(poses, name).copy() for name in ("keypoints", "scores", "features")}
    for name, array in arrays.items():
        array[rows[used]] = getattr(found, name)[used]
    return replace(poses, **arrays)


def _beside(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the largest part (M, 4) of each box (M, 4) to the left, the right, above or below another one."""
    parts = np.repeat(boxes[:, None], 4, axis=1)  # (M, side, 4)
    for side in range(4):
        low, high = boxes[:, side % 2], boxes[:, side % 2 + 2]
        parts[:, side, (side + 2) % 4] = np.clip(others[:, side], low, high)
    return np.take_along_axis(parts, areas(parts).argmax(1)[:, None, None], axis=1)[:, 0]
