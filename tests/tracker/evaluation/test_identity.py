"""TrackEval's figures on cases whose answer is known."""

import numpy as np
import pytest

from posetrack.tracker.evaluation.identity import measure_identity
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.formats.trajectories import BOXES, from_columns

pytest.importorskip("trackeval", reason="needs TrackEval: pip install 'posetrack[eval]'")
FRAMES = 10


def pair(ids=((1,) * FRAMES, (2,) * FRAMES)):
    """Return two people who stand apart for ten frames, with an id for each frame."""
    places = [[0, 0, 100, 200]] * FRAMES + [[300, 0, 400, 200]] * FRAMES
    return from_columns(BOXES, frames=[*range(FRAMES)] * 2, ids=np.concatenate(ids), boxes=places)


def measure(truth, result):
    return measure_identity({"video": compare(truth, result)})["video"]


def test_truth_held_against_itself_is_perfect():
    figures = measure(pair(), pair())
    assert [figures[key] for key in ("HOTA", "DetA", "AssA", "MOTA", "IDF1")] == pytest.approx([1] * 5)
    assert figures["switches"] == figures["missed"] == figures["false"] == 0
    assert (figures["boxes"], figures["people"], figures["ids"]) == (20, 2, 2)


def test_ids_that_change_places_half_way():
    swapped = pair(((1,) * 5 + (2,) * 5, (2,) * 5 + (1,) * 5))
    figures = measure(pair(), swapped)
    assert figures["switches"] == 2
    assert figures["IDF1"] == pytest.approx(0.5)
    assert figures["MOTA"] == pytest.approx((20 - 2) / 20)
    assert figures["DetA"] == pytest.approx(1)
    assert figures["AssA"] == pytest.approx(5 / 15)  # each pair of ids: 5 frames of the 15 that either has
    assert figures["HOTA"] == pytest.approx((5 / 15) ** 0.5)


def test_a_missed_person_and_a_false_positive():
    truth = pair()
    result = truth[truth.ids == 1]
    figures = measure(truth, result)
    assert (figures["missed"], figures["false"]) == (10, 0)
    assert figures["MOTA"] == pytest.approx(0.5)
    assert figures["IDF1"] == pytest.approx(10 / (10 + 5))
    figures = measure(result, truth)
    assert (figures["missed"], figures["false"]) == (0, 10)
    assert figures["MOTA"] == pytest.approx(0)


def test_videos_are_measured_together_by_their_counts():
    truth = pair()
    videos = {"a": compare(truth, truth), "b": compare(truth, truth[:0])}
    figures = measure_identity(videos)
    assert figures["b"]["IDF1"] == figures["b"]["MOTA"] == 0
    assert figures["all"]["IDF1"] == pytest.approx(20 / (20 + 10))
    assert figures["all"]["people"] == 4
    assert measure_identity({"a": compare(truth[:0], truth[:0])})["all"]["boxes"] == 0
