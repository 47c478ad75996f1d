from pathlib import Path

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.formats.recording import Recording
from posetrack.tracker.tracking.tracker import PoseTracker


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
