from copy import deepcopy

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.events.event import Event
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.report.clip import Clip
from posetrack.tracker.report.collector import Collector
from posetrack.tracker.report.measurements import MAX_ROWS
from posetrack.tracker.types import State, Tracks


def tracks_of(poses, ids, state=State.MEASURED):
    return Tracks(ids, poses, np.zeros((len(ids), 2)), (state,) * len(ids))


@pytest.fixture(scope="session")
def collect():
    """Makes measurements from a scene."""

    def make(scene, *, max_rows=MAX_ROWS, events=(), **calibration):
        actions = ActionFeatures(skeleton=COCO, calibration=Calibration(**calibration))
        collector = Collector(actions, max_rows=max_rows)
        with ActionSink(actions, EventDetector(actions), collector, movements=[collector.movement]) as sink:
            for index, (time, poses, ids) in enumerate(scene.frames()):
                sink.write_rows(index, time, tracks_of(poses, ids))
        collector.measurements.add_events(list(events))
        return collector.measurements

    return make


@pytest.fixture(scope="session")
def passing(collect):
    """Two people who pass each other in 4 s at 30 frames per second: their steps, and one event of each. Read only."""
    events = [Event(1.0, 30, 1, "left_hand_raised", 1.0, 0.9), Event(2.5, 75, 2, "step", float("nan"), 0.5)]
    return collect(synthetic.crossing(synthetic.regular(4, 30)), events=events)


@pytest.fixture
def two_people(passing):
    """The measurements of `passing`, for one test to change."""
    return deepcopy(passing)


@pytest.fixture
def clip(tmp_path):
    """Makes the clip of an image that grows brighter."""

    def make(seconds=4.0, *, fps=30, **options):
        with Clip(tmp_path / ".clip", fps=fps, **options) as taken:
            for index in range(round(seconds * fps)):
                taken.write(np.full((240, 320, 3), min(255, 2 * index), np.uint8), index / fps)
        return taken

    return make
