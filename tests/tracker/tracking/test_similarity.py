"""Similarities are bounded, symmetric where they should be, and 1 for the same person."""

import numpy as np
import pytest

from posetrack.models.geometry.boxes import areas, inside, intersections, iou
from posetrack.models.geometry.keypoints import COCO, oks, paired_oks
from posetrack.tracker.tracking.similarity import agreement, overlap, reappearance_likelihood

RNG = np.random.default_rng(0)
SIGMAS = np.array(COCO.sigmas)


def random_boxes(count):
    corners = RNG.uniform(0, 300, (count, 2))
    return np.concatenate([corners, corners + RNG.uniform(1, 200, (count, 2))], axis=-1)


def random_people(count):
    return random_boxes(count), RNG.uniform(0, 400, (count, 17, 2)), RNG.random((count, 17))


def similar(a, b, part=0.0):
    return overlap(a[0], b[0], a[1], b[1], a[2], b[2], SIGMAS, part)


def test_boxes_share_what_two_rectangles_do():
    a, b = random_boxes(30), random_boxes(20)
    union = areas(a)[:, None] + areas(b)[None] - intersections(a, b)
    assert intersections(a, b) == pytest.approx(iou(a, b) * union)
    assert intersections(np.array([[0.0, 0, 4, 6]]), np.array([[1.0, 2, 9, 9], [4, 0, 9, 9]])).tolist() == [[12, 0]]
    assert areas(np.array([5.0, 5, 3, 9])) == 0


def test_agreement_is_weighted_oks():
    (boxes, a, scores), others = random_people(6), RNG.random((6, 17))
    b = a + RNG.normal(0, 5, a.shape)
    b[:, 3], others[:, 3] = np.nan, 0
    expected = paired_oks(a, b, areas(boxes), sigmas=SIGMAS, weights=scores * others)
    found = np.array([agreement(a, i, b, i, scores, others, areas(boxes)[i], SIGMAS) for i in range(6)])
    assert found[:, 0] == pytest.approx(expected)
    assert found[:, 1] == pytest.approx((scores * others).mean(-1))
    assert np.diag(oks(a, a, areas(boxes), sigmas=SIGMAS)) == pytest.approx(1)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_the_similarity_of_no_people_is_empty(n, m):
    assert similar(random_people(n), random_people(m)).shape == (n, m)


def test_overlap_is_bounded_and_leaves_the_word_to_the_box_without_keypoints():
    boxes, keypoints, scores = people = random_people(20)
    similarity = similar(people, people)
    assert similarity.min() >= 0
    assert similarity.max() <= 1 + 1e-12
    assert np.diag(similarity) == pytest.approx(1)
    blind = boxes, np.full_like(keypoints, np.nan), np.zeros_like(scores)
    assert similar(people, blind) == pytest.approx(iou(boxes, boxes))


def test_reach_falls_with_the_distance_and_rises_with_the_doubt():
    box, others = np.array([[0.0, 0, 50, 100]]), np.array([[x, 0, x + 50, 100] for x in (0.0, 20.0, 80.0)])
    near, far = (reappearance_likelihood(box, others, np.array([variance]))[0] for variance in (100.0, 10000.0))
    assert near[0] == pytest.approx(1)
    assert (np.diff(near) < 0).all()
    assert (far[1:] > near[1:]).all()


def test_a_part_of_a_person_has_the_part_similarity_and_the_whole_is_unchanged():
    blind = np.full((1, 17, 2), np.nan), np.zeros((1, 17))
    whole = np.array([[0.0, 0, 50, 100]]), *blind

    def counted(box):
        return similar(whole, (np.array([box]), *blind), part=0.5).item()

    assert counted([0.0, 0, 50, 20]) == pytest.approx(0.5)
    assert counted([0.0, 0, 50, 100]) == pytest.approx(1)
    assert counted([40.0, 0, 90, 100]) == pytest.approx(1 / 9)


def test_inside_is_the_share_of_the_first_box():
    box, others = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 100, 10], [0, 0, 10, 10]])
    assert inside(box, others)[0] == pytest.approx([0.5, 1.0])
