"""How far two tables are apart, in per cent of the height."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation.distance import distances, measure_distance
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.formats.trajectories import from_columns

BOXES = np.array([[0, 0, 50, 100], [300, 0, 400, 200]], dtype=float)


def people(ids=(1, 2), shift=0.0, scores=1.0):
    points = np.repeat(BOXES[:, None, :2] + 20, 17, axis=1) + np.array([shift, 0])
    return from_columns(
        COCO, frames=[0, 0], ids=ids, boxes=BOXES, keypoints=points, scores=np.broadcast_to(scores, (2, 17))
    )


def test_a_shift_counts_by_the_height_regardless_of_the_ids():
    apart, scores = distances(compare(people(), people(ids=(8, 5), shift=4)))
    assert sorted(set(apart)) == pytest.approx([2, 4])
    assert len(scores) == 34


def test_sure_keypoints_are_those_of_the_truth():
    scores = np.where(np.arange(17) < 5, 0.1, 0.9)
    other = people()
    other.keypoints[:, :5] += [50, 0]
    figures = measure_distance([distances(compare(people(scores=scores), other))])
    assert figures["confident"] == figures["confident_p95"] == 0
    assert figures["distance_p95"] == pytest.approx(50)


def test_missing_keypoints_and_people_are_left_out():
    other = people()
    other.keypoints[:, 3] = np.nan
    pair = compare(people(), other)
    assert len(distances(pair)[0]) == 32
    assert all(np.isnan(value) for value in measure_distance([]).values())
