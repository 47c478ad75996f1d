"""Similarities are bounded, symmetric where they should be, and 1 for the same person."""

import numpy as np
import pytest

from posetrack.models.keypoints import COCO, oks, paired_oks
from posetrack.tracker.tracking.similarity import areas, inside, iou, overlap, reach

RNG = np.random.default_rng(0)


def random_boxes(count):
    corners = RNG.uniform(0, 300, (count, 2))
    return np.concatenate([corners, corners + RNG.uniform(1, 200, (count, 2))], axis=-1)


def random_people(count):
    return random_boxes(count), RNG.uniform(0, 400, (count, 17, 2)), RNG.random((count, 17))


def test_oks_of_a_pose_with_itself_is_one():
    boxes, keypoints, _ = random_people(5)
    assert np.diag(oks(keypoints, keypoints, areas(boxes), sigmas=COCO.sigmas)) == pytest.approx(1)


def test_paired_oks_is_the_diagonal_of_oks():
    boxes, a, _ = random_people(6)
    b = a + RNG.normal(0, 5, a.shape)
    b[:, 3] = np.nan
    expected = np.diag(oks(a, b, areas(boxes), sigmas=COCO.sigmas))
    assert paired_oks(a, b, areas(boxes), sigmas=COCO.sigmas) == pytest.approx(expected)


def test_iou_is_bounded_symmetric_and_one_with_itself():
    a, b = random_boxes(30), random_boxes(20)
    shared = iou(a, b)
    assert shared.shape == (30, 20)
    assert shared.min() >= 0
    assert shared.max() <= 1
    np.testing.assert_allclose(iou(b, a).T, shared)
    assert np.diag(iou(a, a)) == pytest.approx(1)


def test_iou_of_known_boxes():
    assert iou(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])) == pytest.approx(
        np.array([[1 / 3, 0]])
    )


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_nobody_takes_the_same_path(n, m):
    a, b = random_people(n), random_people(m)
    assert iou(a[0], b[0]).shape == (n, m)
    assert overlap((a[0], b[0]), (a[1], b[1]), (a[2], b[2]), sigmas=COCO.sigmas).shape == (n, m)
    assert reach((a[0], b[0]), np.ones(n)).shape == (n, m)


def test_overlap_is_bounded_and_leaves_the_word_to_the_box_without_keypoints():
    boxes, keypoints, scores = random_people(20)
    similarity = overlap((boxes, boxes), (keypoints, keypoints), (scores, scores), sigmas=COCO.sigmas)
    assert similarity.min() >= 0
    assert similarity.max() <= 1 + 1e-12
    assert np.diag(similarity) == pytest.approx(1)
    missing, zero = np.full_like(keypoints, np.nan), np.zeros_like(scores)
    similarity = overlap((boxes, boxes), (keypoints, missing), (scores, zero), sigmas=COCO.sigmas)
    assert similarity == pytest.approx(iou(boxes, boxes))


def test_reach_falls_with_the_distance_and_rises_with_the_doubt():
    boxes = np.array([[0, 0, 50, 100]]), np.array([[x, 0, x + 50, 100] for x in (0.0, 20.0, 80.0)])
    near, far = reach(boxes, np.array([100.0])), reach(boxes, np.array([10000.0]))
    assert near[0, 0] == pytest.approx(1)
    assert (np.diff(near[0]) < 0).all()
    assert (far[0, 1:] > near[0, 1:]).all()


def test_a_part_of_somebody_counts_as_such_and_the_whole_as_before():
    whole, keypoints, scores = np.array([[0.0, 0, 50, 100]]), np.full((1, 17, 2), np.nan), np.zeros((1, 17))

    def similar(box):
        people = (whole, np.array([box])), (keypoints, keypoints), (scores, scores)
        return overlap(*people, sigmas=COCO.sigmas, part=0.5).item()

    assert similar([0.0, 0, 50, 20]) == pytest.approx(0.5)
    assert similar([0.0, 0, 50, 100]) == pytest.approx(1)
    assert similar([40.0, 0, 90, 100]) == pytest.approx(1 / 9)


def test_inside_is_the_share_of_the_first_box():
    assert inside(np.array([[0, 0, 10, 10]]), np.array([[5, 0, 100, 10], [0, 0, 10, 10]])) == pytest.approx(
        np.array([[0.5, 1.0]])
    )
