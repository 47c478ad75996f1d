"""Between two detections: where people should be, and the boxes that their keypoints ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..types import Poses, State, Tracks
from .anchors import moved
from .kalman import Array
from .life import BOX, People, boxes

_SURE = 0.3  # confidence from which a keypoint says where the person is
_ENOUGH = 4  # such keypoints
_TRUST = 0.5  # share of the confidence of the last pose, below which a crop does not show the person any more
_STEP = 0.5  # of the box's width or height; who moves further is somebody else, or out of the crop


def expected(people: People, dt: float, *, motion: Array | None, idle: float) -> Tracks:
    """Return where people should be, without moving them.

    Args:
        people: T of them, who have ids.
        dt: seconds to that time.
        motion: (2, 3) of the camera until then; it stands still when left out.
        idle: seconds since somebody looked; who was not seen then bears the state `predicted`.

    Returns:
        Boxes and keypoints as the filters expect them, not smoothed; scores of the last time that each was seen.
    """
    people = people._replace(positions=people.positions + dt * people.velocities)
    people = people if motion is None else people.moved(motion)
    keypoints = people.positions[:, BOX:]
    scores = np.where(np.isnan(keypoints[..., 0]), 0.0, people.scores)
    states = tuple(State.PREDICTED if unseen > idle else State.MEASURED for unseen in people.ages[:, 0])
    poses = Poses(boxes(people.positions), keypoints, scores, people.box_scores)
    return Tracks(people.ids, poses, people.velocities[:, 0], states)


def carried(poses: Poses, expected: Poses) -> Poses:
    """Return the poses found in expected boxes, each with the box that its keypoints ask for.

    A box that the tracker made up cannot confirm itself: its edges go where the keypoints near them are, as seen from
    where they were expected. Who is hardly to be seen in the crop, or not near it, is left out: nobody was seen there.

    Args:
        poses: N, in the boxes of `expected`.
        expected: N, as `expected` returns them.

    Returns:
        M of the poses.
    """
    known = np.isfinite(poses.keypoints).all(-1) & np.isfinite(expected.keypoints).all(-1)  # (N, K)
    sure = known & (np.minimum(poses.scores, expected.scores) >= _SURE)
    seen = (sure.sum(-1) >= _ENOUGH) & (poses.scores.mean(-1) >= _TRUST * expected.scores.mean(-1))
    poses, expected, sure = poses[seen], expected[seen], sure[seen]
    if not len(poses):
        return poses
    steps = np.where(sure[..., None], poses.keypoints - expected.keypoints, np.nan)  # (M, K, 2)
    sides = expected.boxes[:, 2:] - expected.boxes[:, :2]
    near = (np.abs(np.nanmedian(steps, axis=1)) <= _STEP * sides).all(-1)
    return replace(poses, boxes=moved(expected, poses))[near]
