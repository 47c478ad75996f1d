"""Between two detections: each person's box as it was detected, its edges moved as the keypoints near them moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import iou
from ..types import Poses, Tracks
from .kalman import Array

_SURE = 0.3  # confidence from which a keypoint tells where an edge went
_NEAR = 0.15  # of the box's side: the distance from an edge at which a keypoint counts for 1 / e
_SAME = 0.5  # IoU from which a detection is of a person


class Anchors:
    """What the detector said of the people who are known.

    The tracker's own boxes will not do: a filter takes in a third of a detection, and what follows confirms the rest.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everybody."""
        self._ids, self._poses = np.zeros(0, np.int64), Poses.empty()

    def keep(self, people: Tracks, boxes: NDArray[np.floating]) -> None:
        """Take in a detection.

        Args:
            people: N who are known, where the tracker believes them to be in the same frame.
            boxes: (M, 4) detected.
        """
        overlap = iou(people.poses.boxes, boxes)  # (N, M)
        seen = overlap.max(1, initial=0.0) >= _SAME
        self._ids = people.ids[seen]
        if len(self._ids):
            self._poses = replace(people.poses[seen], boxes=boxes[overlap[seen].argmax(1)])

    def place(self, people: Tracks) -> Tracks:
        """Return people with the boxes that their keypoints make of the detected ones; others keep their boxes."""
        _, rows, anchors = np.intersect1d(people.ids, self._ids, return_indices=True)
        if not len(rows):
            return people
        boxes = people.poses.boxes.copy()
        boxes[rows] = moved(self._poses[anchors], people.poses[rows])
        return replace(people, poses=replace(people.poses, boxes=boxes))


def moved(before: Poses, after: Poses) -> Array:
    """Return the boxes (N, 4) of people whose keypoints moved.

    Each edge goes where the keypoints near it went, by the mean of those that are sure in both, the nearer the more. An
    arm that is stretched takes its edge along and leaves the others; one wrong keypoint among several moves little.

    Args:
        before: N people and their boxes.
        after: the same; their boxes do not matter.
    """
    steps = after.keypoints - before.keypoints  # (N, K, 2)
    sure = np.isfinite(steps).all(-1) * np.minimum(before.scores, after.scores)  # (N, K)
    sure = np.where(sure >= _SURE, sure, 0.0)
    steps, places = (np.where(sure[..., None] > 0, values, 0.0) for values in (steps, before.keypoints))
    corners = before.boxes.reshape(-1, 2, 2)  # first and last, x and y
    sides = np.maximum(corners[:, 1] - corners[:, 0], 1.0)
    away = np.abs(places[:, None] - corners[:, :, None]) / sides[:, None, None]  # (N, 2, K, 2)
    weights = np.exp(-away / _NEAR) * sure[:, None, :, None]
    shifts = (weights * steps[:, None]).sum(2) / np.maximum(weights.sum(2), 1e-9)  # (N, 2, 2)
    return (corners + shifts).reshape(-1, 4)
