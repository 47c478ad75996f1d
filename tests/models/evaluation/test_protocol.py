import numpy as np
import pytest
import torch

from posetrack.models.evaluation.protocol import OURS, POTR, TRANSPOSE, VITPOSE, protocol_of
from posetrack.models.weights.variants import ZOO


def test_every_family_has_its_protocol():
    networks = {"transpose-r-a3": TRANSPOSE, "potr-deit-s16": POTR, "vitpose-s": VITPOSE, "convvit": OURS}
    with torch.device("meta"):
        for name, protocol in networks.items():
            assert protocol_of(type(ZOO[name].build()).__name__) is protocol


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        (OURS, [[-5, 10, 50, 100], [600, 400, 700, 500], [700, 10, 720, 30]]),
        (VITPOSE, [[0, 10, 54, 99], [600, 400, 639, 479]]),  # one pixel less; width from the image's border on
        (POTR, [[0, 10, 54, 99], [600, 400, 639, 479]]),
        (TRANSPOSE, [[0, 10, 55, 100], [600, 400, 640, 480]]),
    ],
)
def test_true_boxes_are_cut_as_the_originals_do(protocol, expected):
    boxes = np.array([[-5.0, 10, 50, 100], [600, 400, 700, 500], [700, 10, 720, 30]])
    np.testing.assert_array_equal(protocol.clean(boxes, (640, 480)), expected)
    assert protocol.clean(np.zeros((0, 4)), (640, 480)).shape == (0, 4)


def spread(*, size=200.0, people=2):
    """People on diagonals of a square, far from each other."""
    line = np.linspace(0, size, 17)
    return np.stack([np.stack([line + 1000 * n, line], axis=1) for n in range(people)])


SIGMAS = (0.05,) * 17


def test_heat_maps_are_scored_by_their_certain_keypoints():
    scores = np.array([[0.8] * 8 + [0.1] * 9, [0.6] * 17])
    for select in (VITPOSE.select, VITPOSE.select_true, TRANSPOSE.select):
        rows, certain = select(spread(), scores, np.array([0.5, 1.0]), np.full(2, 4e4), SIGMAS)
        assert rows.tolist() == [1, 0]
        np.testing.assert_allclose(certain, [0.6, 0.4])


def test_the_bundled_network_is_scored_by_all_its_keypoints():
    scores = np.array([[0.8] * 8 + [0.12] * 9, [0.6] * 17])
    rows, certain = OURS.select(spread(), scores, np.array([0.5, 1.0]), np.full(2, 4e4), SIGMAS)
    assert rows.tolist() == [1, 0]
    np.testing.assert_allclose(certain, [0.6, 0.5 * (8 * 0.8 + 9 * 0.12) / 17])


def test_doubles_go():
    twice = spread()[[0, 0, 1]]
    for select in (VITPOSE.select, POTR.select):
        rows, _ = select(twice, np.full((3, 17), 0.5), np.array([0.4, 0.8, 0.6]), np.full(3, 4e4), SIGMAS)
        assert rows.tolist() == [1, 2]


def test_sets_in_detected_boxes_are_scored_by_all_keypoints_and_their_extent():
    keypoints = np.concatenate([spread(people=1), spread(size=20, people=1) + 1000])
    scores = np.full((2, 17), 0.5)
    rows, certain = POTR.select(keypoints, scores, np.array([0.6, 1.0]), np.full(2, 4e4), SIGMAS)
    assert rows.tolist() == [1, 0]
    np.testing.assert_allclose(certain, [0.0, 0.3])  # 20 x 20 pixels are too small
    assert POTR.least_area == 1024


def test_sets_in_ground_truth_boxes_keep_all_people_scored_by_the_sum():
    twice = spread()[[0, 0]]
    rows, certain = POTR.select_true(twice, np.full((2, 17), 0.5), np.ones(2), np.full(2, 4e4), SIGMAS)
    assert rows.tolist() == [0, 1]
    np.testing.assert_allclose(certain, [8.5, 8.5])


@pytest.mark.parametrize(
    ("family", "certainty"),
    [("RTMPose", "mean of the keypoint scores above 0.2"), ("RTMO", "box score"), ("YOLO", "box")],
)
def test_families_of_files_have_the_protocol_of_their_authors(family, certainty):
    protocol = protocol_of(family)
    assert protocol.family == family
    assert certainty in protocol.certainty
