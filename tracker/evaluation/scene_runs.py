"""Run a tracker on synthetic scenes with ground truth."""

from __future__ import annotations

import numpy as np

from ...models.geometry.keypoints import COCO
from ..formats.trajectories import Trajectories, from_columns, from_tracks
from ..tracking.tracker import PoseTracker
from .matching import Comparison, compare
from .scenes import Setup

VISIBILITY = 0.25  # minimum visible share of a person who must be tracked


def truth(setup: Setup) -> Trajectories:
    """Return all people in the image, with their visible share as `box_scores`."""
    scene, _, share = setup.scene()
    frames, people = np.nonzero(share > 0)
    return from_columns(
        COCO,
        frames=frames,
        ids=scene.ids[people],
        boxes=scene.boxes[frames, people],
        keypoints=scene.keypoints[frames, people],
        scores=np.ones((len(frames), len(COCO))),
        box_scores=share[frames, people],
        times=scene.times[frames],
    )


def track_scene(setup: Setup, tracker: PoseTracker | None = None, *, seed: int = 0) -> Comparison:
    """Run a tracker over a scene and compare its tracks with the truth."""
    tracker = tracker or PoseTracker()
    tracked = [
        (index, time, tracker.update(poses, time)) for index, (time, poses) in enumerate(setup.frames(seed=seed))
    ]
    return compare(truth(setup), from_tracks(tracked), visibility=VISIBILITY)
