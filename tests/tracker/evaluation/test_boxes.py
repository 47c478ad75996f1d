"""The fit of boxes whose error is known."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.evaluation.boxes import corner_paths, measure_boxes, overlaps
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.formats.trajectories import from_columns


def people(scene, boxes):
    frames = len(scene.times)
    return from_columns(COCO, frames=range(frames), ids=[1] * frames, boxes=boxes.reshape(-1, 4), times=scene.times)


def measured(scene, boxes):
    comparison = compare(people(scene, scene.boxes), people(scene, boxes))
    return measure_boxes([overlaps(comparison)], corner_paths(comparison))


def test_a_box_that_is_too_wide_overlaps_less():
    scene = synthetic.standing(synthetic.regular(2, 30))  # 80 by 200 pixels
    figures = measured(scene, scene.boxes + np.array([-20, 0, 20, 0]))
    assert figures["box_iou"] == pytest.approx(80 / 120)
    assert figures["box_iou_p5"] == pytest.approx(80 / 120)
    assert figures["box_jitter"] == figures["box_spread"] == pytest.approx(0, abs=1e-6)


def test_noise_is_measured_at_rest():
    scene = synthetic.standing(synthetic.regular(60, 30))
    noise = np.random.default_rng(0).normal(0, 2, scene.boxes.shape)
    assert measured(scene, scene.boxes + noise)["box_spread"] == pytest.approx(100 * 2 * 2**0.5 / 200, rel=0.05)


def test_a_late_box_is_late():
    times = synthetic.regular(4, 30)
    late = synthetic.walking(times - 0.05).boxes
    assert measured(synthetic.walking(times), late)["box_lag"] == pytest.approx(50, abs=3)


def test_no_one_is_found():
    scene = synthetic.standing(synthetic.regular(1, 30))
    assert np.isnan(measured(scene, scene.boxes + 1000)["box_iou"])
