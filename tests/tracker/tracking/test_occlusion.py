"""Parts are completed to whole people; whole people are left as they are."""

import numpy as np
import pytest

from posetrack.tracker.tracking.config import TrackerConfig
from posetrack.tracker.tracking.occlusion import complete, hidden_edges, visible_shares, without_occlusion

EXPECTED = 100.0, 50.0, 180.0, 250.0


def completed(box, keep=1.0):
    box = [float(edge) for edge in box]
    axes = [complete(box[a], box[2 + a], EXPECTED[a], EXPECTED[2 + a], 0.15, keep) for a in range(2)]
    return [axes[0][0], axes[1][0], axes[0][1], axes[1][1]]


@pytest.mark.parametrize("box", [[100, 50, 180, 250], [120, 60, 200, 260], [95, 40, 190, 260], [104, 55, 176, 245]])
def test_a_whole_person_is_accepted(box):
    assert completed(box) == list(box)


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ([102, 50, 140, 250], [102, 50, 182, 250]),  # the right half is behind a pole
        ([150, 50, 183, 250], [103, 50, 183, 250]),  # the left half
        ([100, 50, 180, 150], [100, 50, 180, 250]),  # the legs
        ([125, 50, 155, 250], [100, 50, 180, 250]),  # between two poles
    ],
)
def test_a_part_is_extended_from_the_edge_that_is_seen(box, whole):
    assert completed(box) == whole


def test_the_expected_extent_wears_off():
    low, high = 100.0, 180.0
    for _ in range(100):
        low, high = complete(100.0, 140.0, low, high, 0.15, 0.95)
    assert high - low < 40 / 0.85


FOLDED = [105.0, 50.0, 155.0, 250.0]  # narrower than expected, as after the arms come down
INSIDE = np.stack([np.linspace(110, 150, 9), np.linspace(60, 240, 9)], axis=-1)


def narrowed(points=INSIDE, scores=0.9, seconds=0.2):
    boxes = np.array([FOLDED])
    scores = np.broadcast_to(scores, (1, len(points)))
    return without_occlusion(boxes, np.array([EXPECTED]), np.array(points)[None], scores, seconds, TrackerConfig())[0]


def test_a_body_that_is_seen_inside_its_box_is_accepted():
    assert narrowed().tolist() == FOLDED


def test_the_scale_of_the_scores_does_not_matter():
    assert narrowed(scores=0.2).tolist() == FOLDED


@pytest.mark.parametrize(
    ("points", "scores"),
    [
        pytest.param(INSIDE, np.array([0.9] * 8 + [0.3]), id="a hidden foot near the edge"),
        pytest.param(np.where(np.arange(9)[:, None] > 7, [175.0, 240.0], INSIDE), 0.9, id="a foot outside"),
        pytest.param(np.where(np.arange(9)[:, None] > 7, np.nan, INSIDE), np.array([0.9] * 8 + [0.0]), id="unknown"),
        pytest.param(np.full_like(INSIDE, np.nan), 0.0, id="no keypoints"),
    ],
)
def test_a_body_that_may_reach_out_of_its_box_keeps_its_width(points, scores):
    left, _, right, _ = narrowed(points, scores)
    assert right - left > 70


def test_a_hand_hidden_in_front_of_the_body_keeps_no_width():
    scores = np.where(np.arange(9) == 4, 0.2, 0.9)
    assert narrowed(scores=scores).tolist()[::2] == FOLDED[::2]


def test_nearer_people_cover_those_behind():
    boxes = np.array([[0, 0, 50, 100], [25, 0, 75, 110], [200, 0, 250, 100]])
    assert visible_shares(boxes) == pytest.approx([0.5, 1, 1])
    assert visible_shares(boxes[:0]).shape == (0,)


def test_an_edge_in_the_box_of_a_nearer_person_may_be_hidden():
    boxes = np.array([[0, 0, 50, 100], [40, 10, 90, 110], [200, 0, 250, 120]])  # too little of the first's lower edge
    assert hidden_edges(boxes).tolist() == [[False, False, True, False], [False] * 4, [False] * 4]
    assert hidden_edges(boxes[:0]).shape == (0, 4)
