"""A video and a table of the same run are brought together by numbers and times."""

import pytest

from posetrack.tracker.report.earlier_run import _shift

SOURCE = {index: index / 10 for index in range(60)}
SAVED = {index: index / 10 for index in range(30)}  # of a run from 3 s on


def test_the_source_itself_is_not_shifted():
    assert _shift(SOURCE, [(31, 3.1), (58, 5.8)], 3.0) == pytest.approx(0)


def test_a_saved_video_is_shifted_by_its_start():
    assert _shift(SAVED, [(31, 3.1), (58, 5.8)], 3.0) == pytest.approx(3.0)
    assert _shift(SAVED, [(2, 0.2), (28, 2.8)], 0.0) == pytest.approx(0)


def test_lost_frames_do_not_matter():
    saved = dict(enumerate([0.0, 0.1, 0.9, 1.0, 1.1]))  # seven were lost after the second
    assert _shift(saved, [(30, 3.0), (41, 4.1)], 3.0) == pytest.approx(3.0)


def test_another_video_is_refused():
    assert _shift(dict(list(SAVED.items())[:10]), [(31, 3.1), (58, 5.8)], 3.0) is None
