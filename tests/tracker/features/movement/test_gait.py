"""Gait with known heel strikes and toe-offs: errors in milliseconds, cycles, curves and figures."""

import motions
import numpy as np
import pytest
from performed import passage

from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.movement.gait import Gait, gait_cycles, gait_events, summarise

STAND = motions.stand(1)


def errors(truth, found, yaw):
    """Return the errors in ms of heel strikes and toe-offs, and the share that is found."""
    sign, result, count = (1 if abs(yaw) < 90 else -1), {}, 0
    for side in ("left", "right"):
        events = gait_events(found.times, *(sign * found[f"{side}_{end}_offset"] for end in ("rear", "front")))
        for name, times in (("heel_strike", events.strikes), ("toe_off", events.offs)):
            for time in (time for event, time in truth if event == f"{side}_{name}"):
                count += 1
                near = times[np.abs(times - time) < 0.25]
                result.setdefault(name, []).extend(1000 * (near[:1] - time))
    return result, sum(map(len, result.values())) / count


@pytest.mark.parametrize("fps", [30, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("yaw", [0, 30, 180])
def test_heel_strikes_and_toe_offs_are_found_within_their_stated_errors(yaw, fps):
    truth, found = passage([STAND, motions.gait(10)], yaw=yaw, fps=fps)
    late, share = errors(truth, found, yaw)
    assert share >= 0.85
    assert -40 < np.mean(late["heel_strike"]) < 10
    assert -75 < np.mean(late["toe_off"]) < -25  # the ankle replaces the toes, which leave later
    assert np.std(late["heel_strike"]) < 40
    assert np.std(late["toe_off"]) < 40


def test_heels_and_toes_bring_the_toe_off_nearer_to_its_time():
    strikes, offs = {}, {}
    for what in ("ankles", "feet"):
        times = np.arange(0, 11, 1 / 30)
        rear, front = motions.feet(times, seconds=1.1)[what]
        events = gait_events(times, rear, front)
        for found, moments, percent in ((strikes, events.strikes, 0), (offs, events.offs, motions.TOE_OFF)):
            found[what] = np.mean((100 * moments / 1.1 - percent + 50) % 100 - 50) * 11  # ms late
    assert strikes["feet"] == pytest.approx(-20, abs=10)
    assert offs["feet"] == pytest.approx(-12, abs=10)
    assert offs["ankles"] == pytest.approx(-52, abs=10)


@pytest.mark.parametrize("seconds", [0.9, 1.1, 1.4])
def test_cadence_stride_and_stance(seconds):
    _, found = passage([STAND, motions.gait(10, seconds=seconds)])
    figures = summarise(gait_cycles(found))
    assert figures.cycles >= 10
    assert figures.cadence == pytest.approx(120 / seconds, rel=0.04)
    assert figures.stride == pytest.approx(seconds, rel=0.03)
    assert figures.stride_cv < 6
    assert figures.step.asymmetry == pytest.approx(0, abs=6)
    for stance in figures.stance[:2]:
        assert stance == pytest.approx(62 - 100 * 0.035 / seconds, abs=3)
    assert figures.double_support == pytest.approx(sum(figures.stance[:2]) - 100, abs=2)


def test_a_limp_is_an_uneven_step_time():
    _, found = passage([STAND, motions.gait(12, lag=42)], fps=60, noise=0.005)
    figures = summarise(gait_cycles(found))
    assert figures.step.asymmetry == pytest.approx(200 * 16 / 100, abs=5)
    assert figures.stance.asymmetry == pytest.approx(0, abs=4)  # both feet stand equally long


def test_uneven_strides_vary():
    steady, _ = passage([STAND, motions.gait(10)], noise=0.005)[1], None
    seconds, motion, _ = motions.gait(10)
    swinging = (seconds, lambda t: motion(np.asarray(t) + 0.12 * np.sin(2 * np.pi * np.asarray(t) / 2.7)), ())
    _, unsteady = passage([STAND, swinging], noise=0.005)
    assert summarise(gait_cycles(unsteady)).stride_sd > 3 * summarise(gait_cycles(steady)).stride_sd


def test_few_cycles_have_no_variability_and_no_asymmetry():
    _, found = passage([STAND, motions.gait(3)], noise=0.003)
    gait = Gait()
    cycles = gait.add(found)
    figures = summarise(cycles[:2])
    assert figures.stride == pytest.approx(1.1, abs=0.1)
    assert np.isnan([figures.stride_sd, figures.stride_cv, figures.step.asymmetry, figures.stance.asymmetry]).all()
    assert np.isfinite(gait.curves["left_knee"].mean).any()
    assert np.isnan(gait.curves["left_knee"].sd).all()


def test_the_speed_is_that_of_the_walk_in_body_heights_and_metres():
    conditions = {"speed": 0.5, "actions": ActionFeatures(calibration=Calibration(person_height=1.8))}
    _, found = passage([STAND, motions.gait(8)], **conditions)
    figures = summarise(gait_cycles(found))
    assert figures.speed_bh_s == pytest.approx(0.5, rel=0.06)
    assert figures.speed_m_s == pytest.approx(0.5 * 1.8, rel=0.06)
    assert figures.length_m == pytest.approx(0.5 * 1.8 * 1.1, rel=0.06)
    assert np.isnan(summarise(gait_cycles(passage([STAND, motions.gait(4)])[1])).speed_m_s)


def test_the_mean_curve_is_that_of_the_motion_with_its_band():
    gait = Gait()
    cycles = gait.add(passage([STAND, motions.gait(12)], noise=0.005)[1])
    knee = gait.curves["left_knee"]
    assert knee.count.max() == sum(cycle.side == "left" for cycle in cycles)
    assert knee.mean.max() == pytest.approx(60, abs=6)  # flexion of the swing
    assert 65 <= knee.mean.argmax() <= 80  # percent of the cycle
    assert 0 < np.nanmedian(knee.sd) < 8
    assert np.isnan(gait.curves["left_ankle"].mean).all()  # without feet


def test_who_does_not_walk_has_no_curves():
    gait = Gait()
    assert gait.add(passage([STAND, STAND])[1]) == []
    assert not gait.curves


@pytest.mark.parametrize("yaw", [90, 270])
def test_gait_is_not_measured_from_the_front_and_the_back(yaw):
    assert gait_cycles(passage([STAND, motions.gait(6)], yaw=yaw)[1]) == []


@pytest.mark.parametrize("part", [motions.squats(4), motions.jumping_jacks(6), motions.stand(5), motions.curls(4)])
def test_what_is_no_gait_has_no_cycles(part):
    for yaw in (0, 45):
        assert gait_cycles(passage([STAND, part], yaw=yaw)[1]) == []
