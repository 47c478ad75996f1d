"""People who were taken for each other while they met get their ids back, if they look different."""

import numpy as np
import pytest

from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Poses

FPS = 20
RED, BLUE, UNKNOWN = (np.tile(colour, (6, 1)) for colour in (np.eye(8)[0], np.eye(8)[1], np.zeros(8)))


def turn_back(*looks, blurred=0.0):
    """Return the ids of two people, from left to right, before they meet and after they turned back.

    While their boxes overlap, only the second one is seen. Their looks are unknown while they are nearer than
    `blurred`, in widths, so that only their motion tells which is which.
    """
    tracker, ids = PoseTracker(), []
    for time in np.arange(0, 6, 1 / FPS):
        away = 150 * abs(np.cos(np.pi * time / 6))  # pixels from where they meet at 3 s
        people = [(300 - away, 400, looks[0]), (300 + away, 410, looks[1])][int(away < 20) :]
        boxes = np.array([[x - 40, foot - 240, x + 40, foot] for x, foot, _ in people])
        seen = np.array([look if away > 40 * blurred else UNKNOWN for *_, look in people])
        none = np.full((len(people), 17, 2), np.nan)
        tracks = tracker.update(Poses(boxes, none, np.zeros(none.shape[:2]), features=seen), time)
        ids.append(tracks.ids[np.argsort(tracks.boxes[:, 0])].tolist())
    return ids[FPS // 2], ids[-1]


@pytest.mark.parametrize("blurred", [0, 1.0, 1.5, 2.0])
def test_people_who_look_different_keep_their_ids(blurred):
    assert turn_back(RED, BLUE, blurred=blurred) == ([1, 2], [1, 2])


def test_motion_decides_for_people_who_look_alike():
    assert turn_back(RED, RED) == turn_back(UNKNOWN, UNKNOWN) == ([1, 2], [2, 1])
