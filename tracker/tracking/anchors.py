"""Boxes between two detections: the last detected box of each person, its edges moved with the outermost keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import iou
from ..types import Poses, Tracks
from .kalman import Array

_SURE = 0.3  # minimum confidence of a keypoint that moves an edge
_NEAR = 0.05  # of the box's side: distance from the outermost keypoint at which a keypoint's weight falls to 1 / e
_NOWHERE = -1e9  # pixels; further out than any keypoint
_SAME = 0.5  # minimum IoU of a detection and a person's box


class Anchors:
    """Store the last detected boxes of the known people.

    The tracker's own boxes are no substitute: the filter takes over only a third of a detection, and the frames that
    follow would confirm the filtered box.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all people."""
        self._ids, self._poses = np.zeros(0, np.int64), Poses.empty()

    def keep(self, people: Tracks, boxes: NDArray[np.floating]) -> None:
        """Store the detections of a frame.

        Args:
            people: N known people, with their predicted poses in the same frame.
            boxes: (M, 4) detected boxes, xyxy pixels.
        """
        overlap = iou(people.poses.boxes, boxes)  # (N, M)
        matched = overlap.max(1, initial=0.0) >= _SAME
        self._ids = people.ids[matched]
        if len(self._ids):
            self._poses = replace(people.poses[matched], boxes=boxes[overlap[matched].argmax(1)])

    def place(self, people: Tracks) -> Tracks:
        """Replace the boxes of people with stored detections by the moved detected boxes; others keep their boxes."""
        _, rows, anchors = np.intersect1d(people.ids, self._ids, return_indices=True)
        if not len(rows):
            return people
        boxes = people.poses.boxes.copy()
        boxes[rows] = moved(self._poses[anchors], people.poses[rows])
        return replace(people, poses=replace(people.poses, boxes=boxes))


def moved(before: Poses, after: Poses) -> Array:
    """Return the boxes (N, 4) of people whose keypoints moved.

    Each edge keeps its distance from the outermost keypoints: a stretched arm moves its edge, and after it comes down
    the edge is where the body is. Only keypoints that are confident in both poses count.

    Args:
        before: N poses with boxes.
        after: N poses of the same people; their boxes are ignored.
    """
    scores = np.minimum(before.scores, after.scores)
    known = np.isfinite(before.keypoints).all(-1) & np.isfinite(after.keypoints).all(-1)
    weights = np.where(known & (scores >= _SURE), scores, 0.0)[..., None]  # (N, K, 1)
    sides = np.maximum(before.boxes[:, 2:] - before.boxes[:, :2], 1.0)
    steps = _extremes(after.keypoints, weights, sides) - _extremes(before.keypoints, weights, sides)
    return np.asarray(before.boxes + steps, dtype=np.float64)


def _extremes(points: NDArray[np.floating], weights: NDArray[np.floating], sides: NDArray[np.floating]) -> Array:
    """Return soft extremes (N, 4), low x and y, then high x and y, of keypoints (N, K, 2); 0 without a weight.

    They are means over the outermost keypoints, so that one keypoint's noise shakes no edge.
    """
    points = np.where(weights > 0, points, 0.0)
    ends = []
    for sign in (-1, 1):
        reached = np.where(weights > 0, sign * points, -np.inf)
        outermost = reached.max(1, keepdims=True, initial=_NOWHERE)
        shares = weights * np.exp((reached - outermost) / (_NEAR * sides[:, None]))  # (N, K, 2)
        ends.append((shares * points).sum(1) / np.maximum(shares.sum(1), 1e-9))
    return np.concatenate(ends, axis=-1, dtype=np.float64)
