"""Two people with everything that a table may lack: frames without anybody, absences, and keypoints never found."""

from pathlib import Path

import numpy as np

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.formats.recording import Recording, tracks_of
from posetrack.tracker.types import State

FRAMES, FPS = 60, 15.0
ABSENT = {1: {0, 1, 2, *range(20, 25), 30, 59}, 2: {*range(10), 30, *range(41, 60)}}
UNKNOWN = COCO.keypoints.index("right_ankle")  # of person 2, in every frame; the wrist of person 1 now and then
WRIST = COCO.keypoints.index("left_wrist")


def frames():
    """Yield number, time and tracks of the frames that have people."""
    rng = np.random.default_rng(0)
    body = rng.uniform(40, 200, (len(COCO), 2))
    for index in range(FRAMES):
        ids = [person for person in (1, 2) if index not in ABSENT[person]]
        points = np.array([body + np.array([3 * index, 100 * person]) for person in ids]).reshape(-1, len(COCO), 2)
        scores = rng.uniform(0.2, 1, points.shape[:2])
        for row, person in enumerate(ids):
            if person == 2:
                points[row, UNKNOWN] = np.nan
            if person == 1 and index % 4 == 0:
                points[row, [WRIST, -1]] = np.nan
        if ids:
            states = [State.PREDICTED if index == 50 else State.MEASURED for _ in ids]
            yield index, index / FPS, tracks_of(ids, points, scores, states=states)


def gappy():
    """Return them as a recording."""
    return Recording(COCO, frames, Path("pair.csv"), size=(640, 480), fps=FPS, num_frames=FRAMES)
