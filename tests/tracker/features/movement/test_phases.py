"""Repetitions of motions with known phases: when, how deep, how far each joint, and how even."""

from dataclasses import fields

import motions
import numpy as np
import pytest
from performed import features

from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.events.repetitions import Exercise
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.kinematics.angles import JOINTS
from posetrack.tracker.features.movement.phases import Repetition, Repetitions

STAND = motions.stand(1)
FACE = 90  # the camera


def repetitions(part, *, blend=1.0, exercises=(), **conditions):
    actions = ActionFeatures()
    detector = EventDetector(actions, repetitions=exercises)
    known = Repetitions(detector)
    truth, done = features([STAND, part, STAND], actions=actions, blend=blend, **conditions)
    found = [one for row in done for one in known.take(row, detector.update(row))]
    return [time for _, time in truth], found + known.finish()


@pytest.mark.parametrize("yaw", [0, *(pytest.param(yaw, marks=pytest.mark.slow) for yaw in (45, FACE, 180))])
def test_a_squat_has_its_times_and_its_depth(yaw):
    truth, found = repetitions(motions.squats(4, seconds=3, depth=95), yaw=yaw)
    assert [(one.exercise, one.number) for one in found] == [("squat", number) for number in (1, 2, 3, 4)]
    for one, end in zip(found, truth):
        assert one.bottom == pytest.approx(end - 1.5, abs=0.15)
        assert one.start == pytest.approx(end - 3, abs=0.4)
        assert one.end == pytest.approx(end, abs=0.4)
        assert one.depth == pytest.approx(95, abs=6)
    assert np.mean([one.duration for one in found]) == pytest.approx(3, abs=0.3)
    assert found[-1].tempo == pytest.approx(20, abs=2)
    assert np.isnan(found[0].tempo)


def test_joints_have_their_ranges_seen_from_the_side():
    _, found = repetitions(motions.squats(3, seconds=3), noise=0.005)
    ranges = dict(zip(JOINTS, np.mean([one.ranges for one in found], axis=0)))
    assert ranges["left_knee"] == pytest.approx(120, abs=6)  # thigh 95 forwards, shank 25 backwards
    assert ranges["right_hip"] == pytest.approx(135, abs=6)  # thigh 95 and trunk 40
    assert np.isnan(ranges["left_ankle"])  # without feet
    assert all(abs(one.asymmetry[1]) < 10 for one in found)


def test_slow_ways_down_are_eccentric():
    parts = motions.squats(3, seconds=3)[1]
    slow = (9.0, lambda t: parts(warped(t)), motions.squats(3, seconds=3)[2])
    _, found = repetitions(slow)
    assert len(found) == 3
    for one in found:
        assert one.eccentric == pytest.approx(2.0, abs=0.4)
        assert one.concentric == pytest.approx(1.0, abs=0.4)


def warped(t):
    """Take two thirds of each three seconds for the first half."""
    whole, phase = np.divmod(np.asarray(t) / 3, 1)
    return 3 * (whole + np.interp(phase, [0, 2 / 3, 1], [0, 0.5, 1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "blend", "yaw"),
    [
        ("push_up", motions.push_ups(4), 2.5, 0),
        ("jumping_jack", motions.jumping_jacks(5), 1.0, FACE),
        ("curl", motions.curls(4), 1.0, 0),
        ("curl", motions.curls(4), 1.0, FACE),
        ("shoulder_press", motions.presses(4), 1.0, 45),
        ("lunge", motions.lunges(4), 1.0, 0),
        ("lunge", motions.lunges(4, first="right"), 1.0, FACE),
        ("sit_to_stand", motions.chair_stands(4), 1.5, 180),
    ],
)
def test_each_exercise_is_distinguished_from_the_others(name, part, blend, yaw):
    truth, found = repetitions(part, blend=blend, yaw=yaw, seed=3)
    assert [one.exercise for one in found].count(name) >= len(truth) - 1
    assert len([one for one in found if one.exercise != name]) == 0
    bottoms = np.array([one.bottom for one in found])
    assert (np.abs(bottoms[:, None] - (np.array(truth) - np.diff(truth).mean() / 2)).min(-1) < 0.5).all()


def test_a_lunge_is_uneven_and_a_squat_is_even():
    _, found = repetitions(motions.lunges(3), noise=0.005)
    hips = [one.asymmetry[2] for one in found]
    assert all(abs(index) > 60 for index in np.array(hips)[np.isfinite(hips)])


def test_an_angle_of_a_recipe_has_rows_too_and_replaces_an_exercise_of_its_name():
    curl = Exercise("curl", "left_elbow", low=40, high=100)
    _, found = repetitions(motions.curls(4), exercises=[curl], yaw=0, noise=0.005)
    assert [one.exercise for one in found] == ["curl"] * 4
    assert all(one.measure == "left_elbow" for one in found)
    assert np.mean([one.depth for one in found]) == pytest.approx(135, abs=8)


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        *(("thigh_drop", "deg"), ("trunk_rise", "deg"), ("arm_raise", "deg"), ("left_elbow", "deg"), ("elbow", "deg")),
        *(("hip_height", "body heights"), ("hand_rise", "body heights"), ("thigh_split", "")),
    ],
)
def test_a_depth_has_the_unit_of_its_measure(measure, unit):
    values = dict.fromkeys((field.name for field in fields(Repetition)), 0) | {"measure": measure}
    assert Repetition(**values).unit == unit


def test_what_is_missing_in_half_of_a_repetition_has_no_range():
    _, found = repetitions(motions.squats(2, seconds=3), missing=0.6, seed=4)
    for one in found:
        assert all(np.isnan(one.ranges[:2]))
        assert (one.qualities <= 1).all()
