"""Late starts, people who are never found, and tracks of no one."""

import numpy as np
import pytest

from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.evaluation.starts import measure_starts, starts
from posetrack.tracker.formats.trajectories import BOXES, from_columns

HERE, THERE = [0, 0, 40, 100], [200, 0, 240, 100]


def rows(*people, fps=10.0):
    """Return people as (id, box, first frame, last frame)."""
    spans = [(person, box, frame) for person, box, first, last in people for frame in range(first, last + 1)]
    return from_columns(
        BOXES,
        frames=[frame for _, _, frame in spans],
        ids=[person for person, _, _ in spans],
        boxes=[box for _, box, _ in spans],
        times=[frame / fps if fps else np.nan for _, _, frame in spans],
    )


def measured(truth, result, **options):
    return measure_starts([starts(compare(truth, result), **options)])


def test_a_late_start_is_measured_in_seconds():
    figures = measured(rows((1, HERE, 2, 9), (2, THERE, 0, 9)), rows((7, HERE, 6, 9), (8, THERE, 0, 9)))
    assert figures["late"] == pytest.approx((0.4 + 0) / 2)
    assert figures["never"] == figures["false_tracks"] == 0


def test_who_is_never_found_is_counted_and_has_no_start():
    figures = measured(rows((1, HERE, 0, 9), (2, THERE, 0, 9)), rows((7, HERE, 1, 9)))
    assert figures["never"] == 1
    assert figures["late"] == pytest.approx(0.1)


def test_a_track_is_false_if_it_is_mostly_on_no_one():
    truth = rows((1, HERE, 0, 3))
    assert measured(truth, rows((7, HERE, 0, 9)))["false_tracks"] == 1
    assert measured(truth, rows((7, HERE, 0, 6)))["false_tracks"] == 0
    assert measured(truth, rows((7, HERE, 0, 3), (8, THERE, 5, 6)))["false_tracks"] == 1


def test_a_video_without_people_has_false_tracks_only():
    figures = measured(rows(), rows((7, HERE, 0, 9)))
    assert figures["false_tracks"] == 1
    assert figures["never"] == 0
    assert np.isnan(figures["late"])


def test_without_times_a_start_needs_a_rate():
    truth, result = rows((1, HERE, 0, 9), fps=0), rows((7, HERE, 5, 9), fps=0)
    assert np.isnan(measured(truth, result)["late"])
    assert measured(truth, result, fps=25)["late"] == pytest.approx(0.2)
