"""Labels of several views: fused where they agree, without those that contradict."""

import numpy as np
import pytest

from posetrack.models.training import ensemble

SIDE = np.array([200.0])
BASE = np.stack([np.linspace(20, 180, 17), np.linspace(30, 170, 17)], 1)


def view(points, score=0.8):
    return np.concatenate([points, np.full((17, 1), score)], 1)[None]


def annotation(points, **extra):
    keypoints = np.concatenate([points, np.full((17, 1), 2)], 1).ravel().tolist()
    return {"id": 1, "keypoints": keypoints, "num_keypoints": 17} | extra


def labels_of(result):
    return np.array(result["keypoints"]).reshape(17, 3)


def test_views_that_agree_outvote_the_one_that_does_not():
    away = BASE.copy()
    away[9] += 80
    fused = ensemble.fuse(np.stack([view(BASE), view(BASE + np.array([1, 0])), view(away, score=0.95)]), SIDE)[0]
    assert np.abs(fused[:, :2] - BASE).max() < 1.5
    assert fused[9, 2] == pytest.approx(2 / 3 * 0.8, abs=0.01)
    assert fused[8, 2] > 0.8


def test_views_without_the_person_lower_the_support_alone():
    missing = np.zeros((1, 17, 3))
    fused = ensemble.fuse(np.stack([view(BASE), missing]), SIDE)[0]
    np.testing.assert_allclose(fused[:, :2], BASE, atol=0.01)
    np.testing.assert_allclose(fused[:, 2], 0.4, atol=0.01)


def test_true_labels_stay_and_those_of_teachers_are_replaced():
    fused = ensemble.fuse(np.stack([view(BASE)] * 2), SIDE)[0]
    wrong = BASE + 50
    for source in ({}, {"label_source": "gt"}):
        old = annotation(wrong, **source)
        assert ensemble.relabelled(old, fused, side=200.0, size=(200, 200)) == old
    new = ensemble.relabelled(annotation(wrong, label_source="teacher"), fused, side=200.0, size=(200, 200))
    np.testing.assert_allclose(labels_of(new)[:, :2], BASE, atol=0.02)
    assert new["keypoint_weights"] == [1.0] * 17
    assert new["num_keypoints"] == 17


def test_an_annotator_is_corrected_only_where_the_views_are_sure_of_another_place():
    drawn = BASE.copy()
    drawn[[9, 10]] += 60
    unsure = view(BASE)
    unsure[0, 10, 2] = 0.3
    fused = ensemble.fuse(np.stack([unsure] * 2), SIDE)[0]
    new = labels_of(ensemble.relabelled(annotation(drawn, label_source="lsp"), fused, side=200.0, size=(300, 300)))
    np.testing.assert_allclose(new[9, :2], BASE[9], atol=0.02)
    np.testing.assert_allclose(new[10, :2], drawn[10], atol=0.02)


def test_keypoints_outside_of_the_image_and_people_with_too_few_are_unknown():
    fused = ensemble.fuse(np.stack([view(BASE)] * 2), SIDE)[0]
    low = ensemble.relabelled(annotation(BASE, label_source="teacher"), fused, side=200.0, size=(100, 200))
    assert [v for *_, v in labels_of(low)] == [2 * int(y < 102) for _, y in BASE]
    none = ensemble.relabelled(annotation(BASE, label_source="teacher"), fused, side=200.0, size=(40, 40))
    assert none["num_keypoints"] == 0
    assert not any(none["keypoints"])
