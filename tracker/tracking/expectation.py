"""Between two detections: where people should be, and the boxes that their keypoints ask for."""

from __future__ import annotations

import numpy as np

from ..types import Poses, State, Tracks
from .kalman import Array
from .life import BOX, People, boxes

_SURE = 0.3  # confidence from which a keypoint says where the person is
_ENOUGH = 4  # such keypoints
_TRUST = 0.5  # share of the confidence of the last pose, below which a crop does not show the person any more
_STRETCH = 1.1  # a person's size changes by no more in a frame
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

    A box that the tracker made up cannot confirm itself: it is shifted and scaled as the keypoints are from where they
    were expected to be. Who is hardly to be seen in the crop, or not near it, is left out, as nobody was seen there.

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
    found, thought = (np.where(sure[..., None], side.keypoints, np.nan) for side in (poses, expected))
    if not len(poses):
        return poses
    centers, places = np.nanmedian(thought, axis=1), np.nanmedian(found, axis=1)  # (M, 2)
    spreads = [
        np.nanmean(np.linalg.norm(side - middle[:, None], axis=-1), axis=1)
        for side, middle in ((thought, centers), (found, places))
    ]
    scale = np.clip(spreads[1] / np.maximum(spreads[0], 1e-6), 1 / _STRETCH, _STRETCH)[:, None]
    corners = expected.boxes.reshape(-1, 2, 2)
    boxes = (corners - centers[:, None]) * scale[:, None] + places[:, None]  # (M, 2, 2)
    near = (np.abs(places - centers) <= _STEP * (corners[:, 1] - corners[:, 0])).all(-1)
    return Poses(boxes.reshape(-1, 4), poses.keypoints, poses.scores, poses.box_scores, poses.features)[near]
