"""What is drawn with the IDs: angles of this frame, and growing counts."""

from dataclasses import replace

import motions
import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.output.arcs import JOINTS, AngleArcs, draw_arc
from posetrack.tracker.output.labels import EventLabels, LabelSink
from posetrack.tracker.output.overlay import draw_people
from posetrack.tracker.output.palette import palette
from posetrack.tracker.output.sinks import Sinks
from posetrack.tracker.types import Frame, State, Tracks

BLANK = np.zeros((2, 2, 3), np.uint8)


def labelled(label, parts, *, seconds):
    actions = ActionFeatures()
    detector = EventDetector(actions)
    make = {"angles": AngleArcs(actions), "events": EventLabels(detector)}[label]
    labels = LabelSink(make)
    listeners = [make] if isinstance(make, EventLabels) else []
    person = motions.perform(parts, synthetic.regular(seconds, 30))
    with Sinks(ActionSink(actions, detector, *listeners), labels) as sinks:
        for index, time, poses in person.frames():
            frame = Frame(BLANK, index, time)
            sinks.write(frame, Tracks([4], poses, np.zeros((1, 2)), (State.MEASURED,)))
            yield labels(frame)[4]


def arcs_of(parts, *, seconds, frame=-1):
    return dict(zip(JOINTS, list(labelled("angles", parts, seconds=seconds))[frame]))


def test_arcs_are_those_of_this_frame():
    assert {round(arc.degrees) for arc in arcs_of([motions.stand(1)], seconds=1).values()} == {0}
    bent = arcs_of([motions.curls(1, seconds=2)], seconds=3, frame=60)
    assert abs(round(bent["left_knee"].sweep)) == 0
    assert 130 <= bent["left_elbow"].degrees < 140
    assert abs(bent["left_elbow"].sweep) == pytest.approx(bent["left_elbow"].degrees)


@pytest.mark.parametrize("joint", JOINTS)
def test_an_arc_leads_from_the_straight_direction_to_the_limb(joint):
    bottom = arcs_of([motions.squats(1, seconds=2)], seconds=2, frame=30)
    arc = bottom[joint]
    image = np.zeros((400, 400, 3), np.uint8)
    draw_arc(image, replace(arc, center=(200, 200), radius=100), palette(1), width=6)
    middle, outside = (np.radians(arc.start + arc.sweep * share) for share in (0.5, -0.5))
    if abs(arc.sweep) > 20:
        x, y = (200 + 100 * np.array([np.cos(middle), np.sin(middle)])).round().astype(int)
        assert image[y - 2 : y + 3, x - 2 : x + 3].max() > 200
        x, y = (200 + 100 * np.array([np.cos(outside), np.sin(outside)])).round().astype(int)
        assert not image[y - 2 : y + 3, x - 2 : x + 3].any()
    assert not image[:90].any()


def test_an_angle_that_no_joint_has_is_not_drawn():
    poses = next(synthetic.standing([0.0]).frames())[1]
    pose = poses.keypoints[0]
    shoulder, elbow, wrist = (COCO.keypoints.index(f"left_{name}") for name in ("shoulder", "elbow", "wrist"))
    upper, lower = pose[elbow] - pose[shoulder], 0.25 * abs(pose[elbow] - pose[shoulder])[1]
    drawn = []
    for side in (-1, 1):  # the forearm forwards, and as far backwards
        pose[elbow], pose[wrist] = pose[shoulder] + upper, pose[shoulder] + upper + (side * 4 * lower, -lower)
        actions, tracks = ActionFeatures(view="right"), Tracks([4], poses, np.zeros((1, 2)), (State.MEASURED,))
        actions.update(0, 0.0, tracks)
        drawn.append(len(AngleArcs(actions)(tracks)[4]))
    assert abs(drawn[0] - drawn[1]) == 1


def test_arcs_and_degrees_are_drawn():
    scene = synthetic.standing([0.0])
    _, poses, ids = next(scene.frames())
    tracks = Tracks(ids, poses, np.zeros((1, 2)), (State.MEASURED,))
    actions = ActionFeatures()
    actions.update(0, 0.0, tracks)
    arcs = AngleArcs(actions)(tracks)
    assert set(arcs) == set(ids)
    plain, with_arcs = (
        draw_people(np.zeros((480, 640, 3), np.uint8), tracks, skeleton=COCO, arcs=each) for each in ({}, arcs)
    )
    assert (plain != with_arcs).any()


def test_an_unknown_joint_has_no_arc():
    scene = synthetic.standing([0.0])
    _, poses, ids = next(scene.frames())
    poses.scores[0, COCO.keypoints.index("left_knee")] = 0.0
    tracks = Tracks(ids, poses, np.zeros((1, 2)), (State.MEASURED,))
    assert len(AngleArcs(ActionFeatures())(tracks)[ids[0]]) == len(JOINTS) - 2  # neither knee nor hip


def test_events_state_the_posture_and_count():
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
        draw_people(np.zeros((480, 640, 3), np.uint8), tracks, skeleton=COCO, labels=labels)
        for labels in (None, {1: text})
    )
    assert (plain == wide).all() == (not text)
