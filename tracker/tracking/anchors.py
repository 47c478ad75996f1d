"""Boxes between two detections: the last detected box of each person, its edges moved with the keypoints near them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import iou
from ..types import Poses, Tracks
from .kalman import Array

_SURE = 0.3  # minimum confidence of a keypoint that moves an edge
_NEAR = 0.15  # of the box's side: distance from an edge at which a keypoint's weight falls to 1 / e
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

    Each edge moves by the mean displacement of the keypoints that are confident in both poses, weighted by their
    distance from the edge. A stretched arm moves its edge and leaves the others; one wrong keypoint among several
    moves an edge little.

    Args:
        before: N poses with boxes.
        after: N poses of the same people; their boxes are ignored.
    """
    steps = after.keypoints - before.keypoints  # (N, K, 2)
    sure = np.isfinite(steps).all(-1) * np.minimum(before.scores, after.scores)  # (N, K)
    sure = np.where(sure >= _SURE, sure, 0.0)
    steps, places = (np.where(sure[..., None] > 0, values, 0.0) for values in (steps, before.keypoints))
    corners = before.boxes.reshape(-1, 2, 2)  # (N, 2, 2): top left and bottom right, x and y
    sides = np.maximum(corners[:, 1] - corners[:, 0], 1.0)
    away = np.abs(places[:, None] - corners[:, :, None]) / sides[:, None, None]  # (N, 2, K, 2)
    weights = np.exp(-away / _NEAR) * sure[:, None, :, None]
    shifts = (weights * steps[:, None]).sum(2) / np.maximum(weights.sum(2), 1e-9)  # (N, 2, 2)
    return (corners + shifts).reshape(-1, 4)
