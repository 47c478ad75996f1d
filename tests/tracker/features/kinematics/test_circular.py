"""Angles that pass 180 degrees: no mean, threshold, difference, range or count knows where the circle was cut."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.events.repetitions import Counter, Exercise
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.kinematics.angles import joint_angles, mean_angle, period_of, unwrapped, wrap
from posetrack.tracker.report.collector import Collector
from posetrack.tracker.report.measurements import column_names
from posetrack.tracker.types import Poses, State, Tracks

TURNS = (0, 90, 135, 179, 180, 181, 225, 270)


def row(name):
    return COCO.keypoints.index(name)


def swinging(angle, times, *, sides=("left", "right"), lags=(0.0, 0.0)):
    """Frames of an upright person whose straight arms point `angle(t)` degrees from hanging, forwards and upwards."""
    body = synthetic.standing(times).keypoints[:, 0].astype(float)
    for side, lag in zip(sides, lags):
        turn = np.radians(angle(times) + lag)[:, None]
        way = np.concatenate([np.sin(turn), np.cos(turn)], axis=1)  # y downwards
        body[:, row(f"{side}_elbow")] = body[:, row(f"{side}_shoulder")] + 40 * way
        body[:, row(f"{side}_wrist")] = body[:, row(f"{side}_elbow")] + 40 * way
    return [Poses([[0, 0, 1, 1]], pose[None], np.full((1, 17), 0.9)) for pose in body]


def features(frames, times, **words):
    actions = ActionFeatures(view="right", **words)
    done = []
    for index, (time, poses) in enumerate(zip(times, frames)):
        done += actions.update(index, time, Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)))
    return actions, done + actions.finish()


def test_an_arm_overhead_is_at_plus_180():
    pose = synthetic.standing([0.0]).keypoints[0, 0].astype(float)
    middle = (pose[row("left_hip")] + pose[row("right_hip")]) / 2
    neck = (pose[row("left_shoulder")] + pose[row("right_shoulder")]) / 2
    pose[row("left_elbow")] = pose[row("left_shoulder")] + (neck - middle)
    assert joint_angles(pose)["left_shoulder"] == pytest.approx(180)
    assert wrap(np.array([180.0, -180.0, 540.0, 181.0])).tolist() == [180, 180, 180, -179]


@pytest.mark.parametrize("turn", TURNS)
def test_the_mean_of_two_sides_lies_between_them(turn):
    mean = mean_angle(wrap(np.array([turn - 5.0, turn + 5.0])))
    assert wrap(np.array(mean - turn)) == pytest.approx(0, abs=1e-9)
    assert mean_angle(np.array([turn, np.nan])) == pytest.approx(wrap(np.array(float(turn))))
    assert np.isnan(mean_angle(np.array([np.nan, np.nan])))
    assert abs(mean_angle(np.array([89.0, -89.0]), 180.0)) == pytest.approx(90)


@pytest.mark.parametrize("period", [180.0, 360.0])
def test_angles_over_time_have_no_jumps_and_keep_their_gaps(period):
    truth = np.linspace(-700, 500, 60)[:, None] * [1.0, -0.5, 0.1]
    seen = wrap(truth, period)
    seen[:3, 1] = seen[20:22, 0] = seen[:, 2] = np.nan
    found = unwrapped(seen, period)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(seen))
    for column in (0, 1):
        offsets = (found - truth)[:, column]
        np.testing.assert_allclose(offsets[np.isfinite(offsets)], offsets[10], atol=1e-9)
        assert offsets[10] / period == pytest.approx(round(offsets[10] / period))
    assert unwrapped(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("turn", TURNS)
def test_a_steady_turn_has_one_speed_through_every_direction(turn):
    times = np.arange(20) / 30
    _, done = features(swinging(lambda t: turn + 150 * (t - times[10]), times), times)
    for name in ("left_shoulder", "left_arm", "left_forearm"):
        speeds = [frame[f"{name}_deg_s"][0] for frame in done[4:-4]]
        np.testing.assert_allclose(speeds, 150, atol=2)


def test_a_fast_turn_at_a_low_rate_is_followed_step_by_step():
    times = np.arange(30) / 10
    _, done = features(swinging(lambda t: 500 * t, times), times)
    np.testing.assert_allclose([frame["left_arm_deg_s"][0] for frame in done[5:-5]], 500, atol=5)


def test_shoulders_that_change_sides_have_not_turned():
    times = np.arange(20) / 30
    frames = swinging(lambda t: 0 * t, times)
    for frame in frames[::2]:
        left, right = row("left_shoulder"), row("right_shoulder")
        frame.keypoints[0, [left, right]] = frame.keypoints[0, [right, left]]
    _, done = features(frames, times)
    np.testing.assert_allclose([frame["shoulders_deg_s"][0] for frame in done[4:-4]], 0, atol=1e-3)


@pytest.mark.parametrize(("turn", "reach"), [(0, 40), (90, 40), (180, 30), (90, 200), (60, 270)])
def test_ranges_of_motion_may_pass_180_degrees(reach, turn):
    times = np.arange(90) / 30
    frames = swinging(lambda t: turn + reach / 2 * np.sin(np.pi * t), times, sides=("left",), lags=(0.0,))
    right = swinging(lambda t: turn + reach / 4 * np.sin(np.pi * t), times, sides=("right",), lags=(0.0,))
    for one, two in zip(frames, right):
        for name in ("right_elbow", "right_wrist"):
            one.keypoints[0, row(name)] = two.keypoints[0, row(name)]
    _, done = features(frames, times)
    assert done[-1]["shoulder_asymmetry_pct"][0] == pytest.approx(200 * 0.5 / 1.5, abs=3)


@pytest.mark.parametrize("rest", ["low", "high"])
@pytest.mark.parametrize("middle", TURNS)
def test_repetitions_are_counted_across_every_direction(middle, rest):
    sign = 1 if rest == "low" else -1
    counter = Counter(Exercise("raise", "left_shoulder", middle - 30.0, middle + 30.0, rest))
    times = np.arange(0, 8.5, 1 / 30)
    values = wrap(middle - sign * 60 * np.cos(np.pi * times))
    output = [counter.update(time, value, {}) for time, value in zip(times, values.tolist())]
    assert sum(cycle is not None for cycle in output) == 4


@pytest.mark.parametrize("lags", [(0.0, 0.0), (-8.0, 8.0)])
def test_arms_that_go_over_the_head_are_counted_by_both_sides_mean(lags):
    times = np.arange(0, 8.5, 1 / 30)
    frames = swinging(lambda t: 110 - 90 * np.cos(np.pi * t), times, lags=lags)  # 20 to 200 degrees
    actions, done = features(frames, times)
    detector = EventDetector(actions, repetitions=[Exercise("raise", "shoulder", 60.0, 150.0)])
    found = [event for frame in done for event in detector.update(frame) if event.event == "raise"]
    assert len(found) == 4


@pytest.mark.parametrize("turn", [0, 90, 180])
def test_the_curves_of_a_report_do_not_jump_where_the_circle_is_cut(turn):
    times = np.arange(60) / 30
    frames = swinging(lambda t: turn + 40 * np.sin(np.pi * t), times)
    actions = ActionFeatures(view="right")
    collector = Collector(actions)
    for poses, done in zip(frames, features(frames, times)[1]):
        collector.take(Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,)), done, [])
    curve = collector.measurements.series.table(1)[:, 1 + column_names("bh").index("left_shoulder_deg")]
    np.testing.assert_allclose(curve, turn + 40 * np.sin(np.pi * times), atol=0.1)


def test_what_is_an_angle_is_known_by_its_name():
    assert [period_of(name) for name in ("left_knee", "knee", "trunk", "shoulders", "pelvis", "thigh_drop")] == [
        *(360, 360, 360, 180, 180),
        None,
    ]
