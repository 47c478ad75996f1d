"""Returns are counted by visits: who got the own id back, and who got another person's."""

import numpy as np
import pytest

from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.evaluation.returns import measure_returns
from posetrack.tracker.formats.trajectories import BOXES, from_columns


def visits(*parts, fps=10.0):
    """Return people in one place, in (frames, id) parts."""
    frames = np.concatenate([np.arange(*span) for span, _ in parts])
    ids = np.concatenate([np.full(span[1] - span[0], identity) for span, identity in parts])
    return from_columns(BOXES, frames=frames, ids=ids, boxes=[[0, 0, 50, 100]] * len(ids), times=frames / fps)


TRUTH = visits(((0, 20), 1), ((50, 70), 2), ((100, 120), 1), ((150, 170), 2))


@pytest.mark.parametrize(
    ("ids", "regained", "wrong"),
    [((5, 6, 5, 6), 2, 0), ((5, 6, 7, 6), 1, 0), ((5, 6, 6, 8), 0, 1), ((5, 5, 5, 5), 2, 2), ((5, 6, 6, 5), 0, 2)],
)
def test_returns_are_counted(ids, regained, wrong):
    spans = (0, 20), (50, 70), (100, 120), (150, 170)
    found = measure_returns({"video": compare(TRUTH, visits(*zip(spans, ids)))})
    assert found["video"] == {"returns": 2, "regained": regained, "wrong_joins": wrong}
    assert found["all"] == found["video"]


def test_a_visit_has_the_id_of_most_of_its_frames_and_a_short_gap_ends_none():
    result = visits(((0, 18), 5), ((18, 20), 9), ((50, 70), 6), ((100, 103), 9), ((103, 120), 5), ((150, 170), 6))
    assert measure_returns({"video": compare(TRUTH, result)})["all"]["regained"] == 2
    gap = visits(((0, 20), 1), ((29, 40), 1))
    assert measure_returns({"video": compare(gap, gap)})["all"]["returns"] == 0


def test_a_person_who_was_never_found_does_not_return():
    result = visits(((100, 120), 5), ((150, 170), 6))
    assert measure_returns({"video": compare(TRUTH, result)})["all"] == {"returns": 0, "regained": 0, "wrong_joins": 0}


def test_without_times_there_is_no_count_unless_the_rate_is_given():
    blind = visits(((0, 20), 1), ((100, 120), 1), fps=np.nan)
    assert np.isnan(measure_returns({"video": compare(blind, blind)})["all"]["returns"])
    assert measure_returns({"video": compare(blind, blind)}, fps=10)["all"]["regained"] == 1
