"""The mode of each frame: a function of time and of the known tracks."""

import numpy as np
import pytest

from posetrack import Poses, Tracks
from posetrack.tracker.perception.schedule import FrameMode, Limits, Schedule
from posetrack.tracker.types import State


def known(*boxes, state=State.MEASURED):
    n = len(boxes)
    poses = Poses(np.reshape(boxes, (n, 4)), np.full((n, 17, 2), 50.0), np.ones((n, 17)))
    return Tracks(np.arange(n) + 1, poses, np.zeros((n, 2)), (state,) * n)


ALONE = known([10, 10, 60, 160])


def modes(schedule, count, *, fps=30, people=ALONE, surprise=0.0, **facts):
    result = []
    for index in range(count):
        mode = schedule(index / fps, people if index else known(), **facts)
        if mode is FrameMode.FOLLOW:
            apart = people.poses.keypoints + surprise * 150
            schedule.learn(Poses(people.poses.boxes, apart, people.poses.scores), people.poses)
        result.append(mode)
    return "".join(mode[0] for mode in result)


def test_each_frame_is_detected_by_default():
    assert modes(Schedule(), 6) == "dddddd"
    assert not Schedule().skips


def test_every_nth_frame_counts_frames():
    assert modes(Schedule(3, 1), 7) == "dffdffd"
    assert modes(Schedule(4, 2), 9) == "dpfpdpfpd"
    assert modes(Schedule(1, 3), 7) == "ddddddd"  # who is detected is estimated


def test_nth_frames_do_not_depend_on_the_rate():
    assert modes(Schedule(5, 1), 11, fps=5) == modes(Schedule(5, 1), 11, fps=120)


def test_auto_detects_again_after_a_time_at_any_rate():
    for fps in (30, 60, 120):
        pattern = modes(Schedule("auto", 1), fps, fps=fps)
        gaps = np.diff([i for i, mode in enumerate(pattern) if mode == "d"]) / fps
        assert gaps.max() <= 0.2 + 1 / fps
        assert pattern.count("d") <= 6


def test_auto_detects_in_each_frame_of_a_slow_video():
    assert modes(Schedule("auto", "auto"), 10, fps=10) == "d" * 10


@pytest.mark.parametrize("people", [known(), known([10, 10, 60, 160], state=State.PREDICTED)])
def test_auto_detects_at_once_if_no_person_is_known_or_one_is_lost(people):
    assert modes(Schedule("auto", 1), 5, people=people) == "ddddd"


def test_auto_detects_at_once_where_people_meet():
    assert modes(Schedule("auto", 1), 5, people=known([10, 10, 60, 160], [20, 10, 70, 160])) == "ddddd"
    assert modes(Schedule("auto", 1), 5, people=known([10, 10, 60, 160], [70, 10, 120, 160])) == "dffff"


def test_auto_detects_soon_where_something_moves():
    assert modes(Schedule("auto", 1), 7, fps=60, moved=True) == "dfffffd"
    assert modes(Schedule("auto", 1), 7, fps=30, moved=True) == "dffdffd"


@pytest.mark.parametrize("every", [5, "auto"])
def test_a_tentative_track_causes_another_detection(every):
    assert modes(Schedule(every, every), 4, has_tentative=True) == "dddd"


def test_auto_skips_pose_estimations_while_predictions_are_accurate():
    assert modes(Schedule(10, "auto"), 7, surprise=0.0) == "dfpfpfp"
    assert modes(Schedule(10, "auto"), 7, surprise=0.05) == "dffffff"
    assert modes(Schedule(10, "auto"), 9, fps=60, surprise=0.0) == "dfppfppfp"


def test_limits_hold_the_detector_back():
    limits = Limits(least_seconds=0.1, follow_seconds=0.2, detect_seconds=0.3)
    meeting = known([10, 10, 60, 160], [20, 10, 70, 160])
    assert modes(Schedule("auto", 1, limits=limits), 7, people=meeting) == "dffdffd"
    assert modes(Schedule("auto", 1, limits=limits), 4, people=meeting, has_tentative=True) == "dddd"


def test_a_reset_begins_with_everything():
    schedule = Schedule(10, 1)
    modes(schedule, 3)
    schedule.reset()
    assert schedule(3 / 30, ALONE) is FrameMode.DETECT
