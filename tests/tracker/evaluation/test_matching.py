"""Which people are evaluated, and which pairs are compared."""

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.models.geometry.skeletons import POSETRACK18
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.formats.trajectories import BOXES, from_columns, skeleton_of

LEFT, RIGHT = [0, 0, 100, 200], [300, 0, 400, 200]


def boxes(rows, **more):
    frames, ids, places = zip(*rows) if rows else ((), (), ())
    return from_columns(BOXES, frames=frames, ids=ids, boxes=np.array(places, float).reshape(-1, 4), **more)


def people(skeleton, keypoints):
    n = len(keypoints)
    return from_columns(skeleton, frames=[0] * n, ids=range(1, n + 1), boxes=[LEFT, RIGHT][:n], keypoints=keypoints)


def test_every_frame_of_either_is_compared():
    comparison = compare(boxes([(0, 1, LEFT), (3, 1, LEFT)]), boxes([(3, 9, LEFT), (5, 9, LEFT)]))
    assert [similarity.tolist() for similarity in comparison.similarities] == [[[]], [[1.0]], []]
    assert [row.tolist() for row in comparison.pairs()] == [[1], [0]]


def test_unlabelled_frames_do_not_count():
    comparison = compare(boxes([(0, 1, LEFT)], labelled=[0, 1]), boxes([(0, 9, LEFT), (1, 9, LEFT), (2, 9, LEFT)]))
    assert [rows.tolist() for rows in comparison.result_rows] == [[0], [1]]


@pytest.mark.parametrize("share", [0.1, np.nan])
def test_who_is_hidden_is_neither_demanded_nor_punished(share):
    truth = boxes([(0, 1, LEFT), (0, 2, RIGHT)], box_scores=[share, 0.9])
    result = boxes([(0, 7, LEFT), (0, 8, RIGHT), (0, 9, [600, 0, 700, 200])])
    comparison = compare(truth, result, visibility=0.15)
    assert truth.ids[comparison.truth_rows[0]].tolist() == [2]
    assert result.ids[comparison.result_rows[0]].tolist() == [8, 9]


def test_the_hidden_take_no_result_from_the_visible():
    truth = boxes([(0, 1, LEFT), (0, 2, [10, 0, 110, 200])], box_scores=[0.1, 1])
    comparison = compare(truth, boxes([(0, 7, LEFT)]), visibility=0.15)
    assert comparison.result_rows[0].tolist() == [0]


def test_poses_are_compared_by_the_keypoints_that_the_truth_labels():
    pose = np.linspace([0, 0], [100, 200], 17)
    labelled = pose.copy()
    labelled[:8] = np.nan
    missing = labelled.copy()
    missing[-3:] = np.nan  # three of nine labelled ones were not found
    other = pose + 3
    similarity = compare(people(COCO, [labelled]), people(COCO, [pose]), poses=True).similarities[0]
    assert similarity == pytest.approx(1)
    truth = people(COCO, [labelled, pose + np.array([300, 0])])
    similarity = compare(truth, people(COCO, [missing, other + np.array([300, 0])]), poses=True).similarities[0]
    assert similarity[0, 0] == pytest.approx(6 / 9)
    assert 0.3 < similarity[1, 1] < 1
    assert similarity[0, 1] < 1e-3


def test_skeletons_meet_in_the_keypoints_of_one_name():
    pose = np.linspace([0, 0], [100, 200], 17)
    similarity = compare(people(POSETRACK18, [pose]), people(COCO, [pose]), poses=True).similarities[0]
    assert similarity == pytest.approx(1)
    with pytest.raises(UsageError, match="share no keypoints"):
        compare(people(COCO, [pose]), people(skeleton_of(["tail"]), [[[1, 2]]]), poses=True)


def test_comparing_changes_nothing_of_what_is_given():
    pose = np.linspace([0, 0], [100, 200], 17)
    truth = people(POSETRACK18, [pose])
    compare(truth, people(COCO, [pose]), poses=True)
    assert np.isfinite(truth.keypoints).all()
