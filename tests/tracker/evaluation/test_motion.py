"""Jitter and lag of motion whose jitter and lag are known."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.evaluation.matching import compare
from posetrack.tracker.evaluation.motion import measure_motion, paths
from posetrack.tracker.formats.trajectories import from_columns


def people(scene, keypoints=None, times=None):
    frames, rows = len(scene.times), len(scene.times) * len(scene.ids)
    return from_columns(
        COCO,
        frames=np.repeat(np.arange(frames), len(scene.ids)),
        ids=np.tile(scene.ids, frames),
        boxes=scene.boxes.reshape(rows, 4),
        keypoints=scene.keypoints if keypoints is None else keypoints,
        scores=np.ones((rows, 17)),
        times=np.repeat(scene.times, len(scene.ids)) if times is None else times,
    )


def measure(truth, result, **options):
    return measure_motion(paths(compare(truth, result), **options))


@pytest.mark.parametrize("times", [synthetic.regular(6, 30), synthetic.irregular(6, 30)], ids=["regular", "irregular"])
@pytest.mark.parametrize("late", [0.0, 0.03, 0.1])
@pytest.mark.parametrize("speed", [200, 600])
def test_a_late_result_is_late(times, late, speed):
    scene, before = (synthetic.walking(t, speed=speed) for t in (times, times - late))
    assert measure(people(scene), people(scene, before.keypoints))["lag"] == pytest.approx(1000 * late, abs=3)


def test_noise_at_rest_is_measured_in_pixels_and_in_heights():
    scene = synthetic.standing(synthetic.regular(60, 30))
    noise = np.random.default_rng(0).normal(0, 2, scene.keypoints.shape)
    figures = measure(people(scene), people(scene, scene.keypoints + np.array([5, 0]) + noise))
    assert figures["spread"] == pytest.approx(2 * 2**0.5, rel=0.02)  # both axes; the constant error is no spread
    assert figures["spread_height"] == pytest.approx(figures["spread"] / 2)  # the height is 200 pixels
    assert figures["jitter"] == pytest.approx(2 * 2**0.5 * 6**0.5 * 30**2, rel=0.02)  # of x - 2 x' + x''
    assert figures["jitter_height"] == pytest.approx(figures["jitter"] / 2)
    assert np.isnan(figures["lag"])


def test_what_moves_is_not_at_rest():
    scene = synthetic.walking(synthetic.regular(3, 30))
    figures = measure(people(scene), people(scene))
    assert np.isnan(figures["jitter"])
    assert figures["lag"] == pytest.approx(0, abs=0.1)


def test_frames_without_times_need_a_rate():
    scene = synthetic.walking(synthetic.regular(4, 30))
    late = synthetic.walking(synthetic.regular(4, 30) - 0.05)
    nowhen = np.full(len(scene.times), np.nan)
    truth, result = people(scene, times=nowhen), people(scene, late.keypoints, times=nowhen)
    assert paths(compare(truth, result)) == []
    assert np.isnan(measure(truth, result)["lag"])
    assert measure(truth, result, fps=30)["lag"] == pytest.approx(50, abs=3)


def test_a_missing_person_is_no_error():
    scene = synthetic.walking(synthetic.regular(2, 30))
    figures = measure(people(scene), people(scene)[:0])
    assert all(np.isnan(value) for value in figures.values())
