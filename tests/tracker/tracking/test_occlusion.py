"""Parts are completed to whole people; whole people are left as they are."""

import numpy as np
import pytest

from posetrack.tracker.tracking.occlusion import complete, uncovered

EXPECTED = np.array([[100.0, 50, 180, 250]])


def completed(box, keep=1.0):
    boxes, part = complete(np.array([box], dtype=np.float64), EXPECTED, tolerance=0.15, keep=keep)
    return boxes[0].tolist(), part[0].tolist()


@pytest.mark.parametrize("box", [[100, 50, 180, 250], [120, 60, 200, 260], [95, 40, 190, 260], [104, 55, 176, 245]])
def test_a_whole_person_is_believed(box):
    assert completed(box) == (box, [False, False])


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
    assert completed(box)[0] == whole


def test_the_expected_extent_wears_off():
    box = EXPECTED
    for _ in range(100):
        box, _ = complete(np.array([[100.0, 50, 140, 250]]), box, tolerance=0.15, keep=0.95)
    assert box[0, 2] - box[0, 0] < 40 / 0.85


def test_who_stands_nearer_covers_who_is_behind():
    boxes = np.array([[0.0, 0, 50, 100], [25, 0, 75, 110], [200, 0, 250, 100]])
    assert uncovered(boxes) == pytest.approx([0.5, 1, 1])
    assert uncovered(boxes[:0]).shape == (0,)
