from pathlib import Path

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.formats.recording import Recording
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Frame, Poses, State, Tracks


@pytest.fixture(scope="session")
def crossing():
    """Frames of a crossing pair, of whom one is hidden for a while; one keypoint is missing in the first frame."""
    tracker, results = PoseTracker(), []
    for index, (time, poses, _) in enumerate(synthetic.crossing(synthetic.regular(4, 15)).frames(noise=0.01)):
        if index == 0:
            poses.keypoints[0, 9], poses.scores[0, 9] = np.nan, 0
        results.append((index, time, tracker.update(poses, time)))
    return results


@pytest.fixture
def recording(crossing):
    return Recording(COCO, lambda: crossing, Path("pair.csv"), size=(640, 480), fps=15.0)


@pytest.fixture
def frame_of():
    """Makes frame number `index` of a 25 fps source."""

    def make(index=0, *, height=240, width=320, value=0):
        return Frame(np.full((height, width, 3), value, dtype=np.uint8), index, index / 25)

    return make


@pytest.fixture
def people():
    """Makes `n` people side by side, each an upright ladder of keypoints."""

    def make(n=1, *, height=200.0, left=10.0, top=20.0, states=None, ids=None):
        x = left + np.arange(n) * 60.0
        boxes = np.stack([x, np.full(n, top), x + 50, np.full(n, top + height)], axis=1)
        steps = np.linspace(0.1, 0.9, len(COCO))
        keypoints = np.empty((n, len(COCO), 2))
        keypoints[..., 0] = x[:, None] + np.where(np.arange(len(COCO)) % 2, 35, 15)
        keypoints[..., 1] = top + steps * height
        poses = Poses(boxes, keypoints, np.full((n, len(COCO)), 0.9), np.full(n, 0.75))
        ids = np.arange(1, n + 1) if ids is None else ids
        return Tracks(ids, poses, np.zeros((n, 2)), states or (State.MEASURED,) * n)

    return make
