"""Jumps with a known time of flight, and standing with a known sway."""

import motions
import numpy as np
import pytest
from performed import passage

from posetrack.tracker.features.calibration.measures import Calibration
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.features.movement.balance import jumps, stands

STAND = motions.stand(2)


@pytest.mark.parametrize("yaw", [0, 90])
@pytest.mark.parametrize("flight", [0.4, 0.5, 0.7])
def test_a_jump_has_its_height_within_its_uncertainty(flight, yaw):
    truth, found = passage([STAND, motions.jump(flight=flight), motions.jump(flight=flight)], yaw=yaw, blend=0.3)
    jumped = jumps(found)
    assert len(jumped) == 2
    for one, (_, time) in zip(jumped, truth):
        assert one.start == pytest.approx(time, abs=0.05)
        assert one.height == pytest.approx(9.81 * flight**2 / 8, abs=one.uncertainty)
        assert one.rise * 1.75 == pytest.approx(one.height, abs=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [motions.walk(10), motions.gait(6), motions.squats(3), motions.push_ups(2), motions.fall(1), motions.lunges(2)],
)
def test_who_stays_on_the_ground_does_not_jump_and_does_not_stand(part):
    for yaw in (0, 45):
        found = passage([motions.stand(1), part], yaw=yaw)[1]
        assert jumps(found) == []
        assert stands(found) == []


def swaying(seconds, reach):
    """Sway forwards and backwards like a board, the trunk by `reach` degrees each way, every four seconds."""

    def motion(t):
        pitch = reach * np.sin(2 * np.pi * np.asarray(t) / 4)
        return {"trunk": pitch, "thigh": -pitch, "shank": -pitch, "arm": -pitch, "forearm": -pitch}

    return seconds, motion, ()


def test_the_sway_of_a_board_has_its_path_and_spread():
    calibrated = {"actions": ActionFeatures(calibration=Calibration(person_height=1.8))}
    found = passage([swaying(20, 1.0)], noise=0, missing=0, blend=0.1, **calibrated)[1]
    (one,) = stands(found)
    high = np.median((found["feet_y"] - found["com_y"]) / found["height_px"])  # above the ankles, body heights
    arm = high * np.sin(np.radians(1))
    assert one.plane == "sagittal"
    assert one.spread == pytest.approx(2 * arm, rel=0.1)
    assert one.path == pytest.approx(5 * 4 * arm, rel=0.1)
    assert one.metres == pytest.approx(1.8, abs=0.01)
    (still,) = stands(passage([motions.stand(20)], noise=0.005, missing=0.02, blend=0.1)[1])
    assert still.speed < one.speed / 2
