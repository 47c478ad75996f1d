"""Notes beside the ids: angles of this frame, and counts that grow."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features import motions
from posetrack.tracker.features.events import EventDetector
from posetrack.tracker.features.stream import ActionFeatures
from posetrack.tracker.output.notes import make_notes
from posetrack.tracker.output.overlay import draw
from posetrack.tracker.types import Frame, State, Tracks

BLANK = np.zeros((2, 2, 3), np.uint8)


def noted(label, parts, *, seconds):
    actions = ActionFeatures()
    notes = make_notes(label, actions, EventDetector(actions))
    person = motions.perform(parts, synthetic.regular(seconds, 30))
    for index, time, poses in person.frames():
        yield notes(Frame(BLANK, index, time), Tracks([4], poses, np.zeros((1, 2)), (State.MEASURED,)))[4]


def test_the_id_needs_no_note():
    assert make_notes("id", ActionFeatures(), EventDetector(ActionFeatures())) is None


def test_angles_are_those_of_this_frame():
    assert list(noted("angles", [motions.stand(1)], seconds=1))[-1] == "knee 0/0  hip 0/0  elbow 0/0"
    bent = list(noted("angles", [motions.curls(1, seconds=2)], seconds=3))[60]
    assert bent.startswith("knee 0/0  hip 0/0  elbow 13")


def test_events_tell_the_posture_and_count():
    texts = list(noted("events", [motions.stand(1), motions.squats(2)], seconds=8))
    assert "standing" in texts[20]
    assert texts[-1].endswith("squat 2")
    assert any("sitting" in text for text in texts)


@pytest.mark.parametrize("note", ["", "standing  squat 12"])
def test_a_note_widens_the_tab_of_its_id(note):
    scene = synthetic.standing([0.0])
    _, poses, ids = next(scene.frames())
    tracks = Tracks(ids, poses, np.zeros((1, 2)), (State.MEASURED,))
    plain, noted = (
        draw(np.zeros((480, 640, 3), np.uint8), tracks, skeleton=COCO, notes=notes) for notes in (None, {1: note})
    )
    assert (plain == noted).all() == (not note)
