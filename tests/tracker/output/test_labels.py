"""Labels next to the IDs: angles of this frame, and growing counts."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features import motions
from posetrack.tracker.features.events import EventDetector
from posetrack.tracker.features.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.output.labels import AngleLabels, EventLabels, LabelSink
from posetrack.tracker.output.overlay import draw
from posetrack.tracker.output.sinks import Sinks
from posetrack.tracker.types import Frame, State, Tracks

BLANK = np.zeros((2, 2, 3), np.uint8)


def labelled(label, parts, *, seconds):
    actions = ActionFeatures()
    detector = EventDetector(actions)
    make = {"angles": AngleLabels(actions), "events": EventLabels(detector)}[label]
    labels = LabelSink(make)
    listeners = [make] if isinstance(make, EventLabels) else []
    person = motions.perform(parts, synthetic.regular(seconds, 30))
    with Sinks(ActionSink(actions, detector, *listeners), labels) as sinks:
        for index, time, poses in person.frames():
            frame = Frame(BLANK, index, time)
            sinks.write(frame, Tracks([4], poses, np.zeros((1, 2)), (State.MEASURED,)))
            yield labels(frame)[4]


def test_angles_are_those_of_this_frame():
    assert list(labelled("angles", [motions.stand(1)], seconds=1))[-1] == "knee 0/0  hip 0/0  elbow 0/0"
    bent = list(labelled("angles", [motions.curls(1, seconds=2)], seconds=3))[60]
    assert bent.startswith("knee 0/0  hip 0/0  elbow 13")


def test_events_tell_the_posture_and_count():
    texts = list(labelled("events", [motions.stand(1), motions.squats(2)], seconds=8))
    assert "standing" in texts[20]
    assert texts[-1].endswith("squat 2")
    assert any("sitting" in text for text in texts)


@pytest.mark.parametrize("text", ["", "standing  squat 12"])
def test_text_widens_the_label_of_its_id(text):
    scene = synthetic.standing([0.0])
    _, poses, ids = next(scene.frames())
    tracks = Tracks(ids, poses, np.zeros((1, 2)), (State.MEASURED,))
    plain, wide = (
        draw(np.zeros((480, 640, 3), np.uint8), tracks, skeleton=COCO, labels=labels) for labels in (None, {1: text})
    )
    assert (plain == wide).all() == (not text)
