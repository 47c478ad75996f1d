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
_THERE = 0.5  # minimum share of its keypoints in that part: otherwise it was guessed from the neighbour's body


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
    beside = _beside(boxes[people], boxes[neighbours])
    copied = _shared(poses, people, poses, neighbours) >= _SHARE
    doubted = copied & (areas(beside) >= _REST * areas(boxes[people]))
    rows, first = np.unique(people[doubted], return_index=True)
    return rows, beside[doubted][first]


def corrected(poses: Poses, rows: NDArray[np.intp], found: Poses) -> Poses:
    """Return the poses, with those of `rows` that were found beside the neighbour, where they are the person's own.

    Where a person is mostly hidden, the network guesses a body from the few pixels beside the neighbour, or describes
    the neighbour or a third person once more. docs/decisions/0037-people-who-meet.md has the figures.

    Args:
        poses: N poses.
        rows: (M,) of the doubted ones.
        found: M poses, whose boxes are the parts in which they were looked for.
    """
    sure, low, high = found.scores >= _SURE, found.boxes[:, None, :2], found.boxes[:, None, 2:]
    there = sure & ((low <= found.keypoints) & (found.keypoints <= high)).all(-1)
    used = found.scores.mean(1) >= _CONFIDENT * poses.scores[rows].mean(1)
    used &= there.sum(1) >= _THERE * np.maximum(sure.sum(1), 1)
    people, others = np.nonzero(rows[:, None] != np.arange(len(poses)))
    used[people[_shared(found, people, poses, others) >= _SHARE]] = False
    arrays = {name: getattr(poses, name).copy() for name in ("keypoints", "scores", "features")}
    for name, array in arrays.items():
        array[rows[used]] = getattr(found, name)[used]
    return replace(poses, **arrays)


def _shared(
    poses: Poses, people: NDArray[np.intp], others: Poses, neighbours: NDArray[np.intp]
) -> NDArray[np.floating]:
    """Return the share (P,) of each person's confident keypoints that a neighbour has, too; 0 if they are few.

    Args:
        poses: of the people.
        people: (P,) rows of `poses`.
        others: poses of the neighbours.
        neighbours: (P,) rows of `others`.
    """
    sure = poses.scores[people] >= _SURE
    distances = np.linalg.norm(poses.keypoints[people] - others.keypoints[neighbours], axis=-1)
    near = distances < _NEAR * np.sqrt(areas(others.boxes[neighbours]))[:, None]
    same = (sure & (others.scores[neighbours] >= _SURE) & near).sum(1)
    return np.where(same >= _LEAST, same / np.maximum(sure.sum(1), 1), 0.0)


def _beside(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the largest part (M, 4) of each box (M, 4) to the left, the right, above or below another one."""
    parts = np.repeat(boxes[:, None], 4, axis=1)  # (M, side, 4)
    for side in range(4):
        low, high = boxes[:, side % 2], boxes[:, side % 2 + 2]
        parts[:, side, (side + 2) % 4] = np.clip(others[:, side], low, high)
    return np.take_along_axis(parts, areas(parts).argmax(1)[:, None, None], axis=1)[:, 0]
