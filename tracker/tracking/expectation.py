"""Predict people between two detections, and fit their boxes to the estimated keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..types import Poses, State, Tracks
from .anchors import moved
from .kalman import Array
from .state import BOX, TrackState, boxes

_SURE = 0.3  # minimum confidence of a keypoint that locates a person
_ENOUGH = 4  # minimum number of such keypoints
_LEAST_SHARE = 0.5  # of the last pose's mean confidence; below it, the crop no longer shows the person
_STEP = 0.5  # of the box's width or height; a larger step is another person, or leaves the crop


def expected(people: TrackState, dt: float, *, motion: Array | None, idle: float) -> Tracks:
    """Return the predicted poses of tracks, without changing the tracks.

    Args:
        people: T tracks with ids.
        dt: seconds from the last frame to the prediction.
        motion: (2, 3) camera motion until then; None for a static camera.
        idle: seconds since the last processed frame; tracks without a match in that frame get the state `predicted`.

    Returns:
        Boxes and keypoints predicted by the filters, not smoothed, with the scores of each track's last measurement.
    """
    people = people._replace(positions=people.positions + dt * people.velocities)
    people = people if motion is None else people.moved(motion)
    keypoints = people.positions[:, BOX:]
    scores = np.where(np.isnan(keypoints[..., 0]), 0.0, people.scores)
    states = tuple(State.PREDICTED if unseen > idle else State.MEASURED for unseen in people.ages[:, 0])
    poses = Poses(boxes(people.positions), keypoints, scores, people.box_scores)
    return Tracks(people.ids, poses, people.velocities[:, 0], states)


def with_own_boxes(poses: Poses, expected: Poses) -> Poses:
    """Return the poses that were estimated in predicted boxes, each with its box fitted to its keypoints.

    A predicted box must not confirm itself: each edge moves by the displacement between estimated and predicted
    keypoints near it. Poses with few confident keypoints, or far from the prediction, are dropped: the person was not
    observed.

    Args:
        poses: N poses, estimated in the boxes of `expected`.
        expected: N poses as `expected` returns them.

    Returns:
        M of the N poses.
    """
    known = np.isfinite(poses.keypoints).all(-1) & np.isfinite(expected.keypoints).all(-1)  # (N, K)
    sure = known & (np.minimum(poses.scores, expected.scores) >= _SURE)
    seen = (sure.sum(-1) >= _ENOUGH) & (poses.scores.mean(-1) >= _LEAST_SHARE * expected.scores.mean(-1))
    poses, expected, sure = poses[seen], expected[seen], sure[seen]
    if not len(poses):
        return poses
    steps = np.where(sure[..., None], poses.keypoints - expected.keypoints, np.nan)  # (M, K, 2)
    sides = expected.boxes[:, 2:] - expected.boxes[:, :2]
    near = (np.abs(np.nanmedian(steps, axis=1)) <= _STEP * sides).all(-1)
    return replace(poses, boxes=moved(expected, poses))[near]
