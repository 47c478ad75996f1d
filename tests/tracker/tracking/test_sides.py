"""Exchanged sides of a measurement are put back; an exchange that lasts is accepted, and no limb crosses the body."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.tracking.config import LATENCIES
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import STATES, Poses, State

ARMS, LEGS, WRISTS = [7, 8, 9, 10], [13, 14, 15, 16], [9, 10]
PREDICTED = STATES.index(State.PREDICTED)


def spoilt(scene, *, seed=0, swaps=True, dips=True):
    """Yield time, poses of a jumping jack with exchanged sides and score dips, and a mask (17,) of the exchanges."""
    rng = np.random.default_rng(seed)
    for time, poses, _ in scene.frames(noise=0.006, seed=seed):
        keypoints, scores, moved = poses.keypoints.copy(), poses.scores.copy(), np.zeros(17, dtype=bool)
        for limbs in (ARMS, WRISTS, LEGS):
            if swaps and not moved[limbs].any() and rng.random() < 0.06:
                moved[limbs] = True
        keypoints[0, moved] = keypoints[0, COCO.flip_order][moved]
        dip = (rng.random(17) < 0.1) & dips
        scores[0, dip] *= rng.uniform(0.2, 0.6)
        yield time, Poses(poses.boxes, keypoints, scores, poses.box_scores), moved


@pytest.mark.parametrize("rate", [pytest.param(1.0, marks=pytest.mark.slow), 1.7])
@pytest.mark.parametrize("smooth", LATENCIES)
def test_confident_keypoints_are_near_their_measurement_or_predicted(smooth, rate):
    scene = synthetic.jumping_jack(synthetic.regular(15, 30), rate=rate)
    tracker, reference = PoseTracker(smooth=smooth), PoseTracker(smooth="none")
    away, predicted = [], []
    for time, poses, _ in spoilt(scene):
        tracks, measured = tracker.update(poses, time), reference.update(poses, time)
        length = (measured.boxes[0, 2:] - measured.boxes[0, :2]).max()
        confident = tracks.scores[0] >= 0.3
        away.append(np.linalg.norm(tracks.keypoints[0] - measured.keypoints[0], axis=-1)[confident] / length)
        predicted.append(tracks.keypoint_states[0][confident] == PREDICTED)
    away, predicted = np.concatenate(away), np.concatenate(predicted)
    assert away[~predicted].max() < 0.055
    assert predicted.mean() < 0.01


def test_exchanged_sides_are_put_back():
    scene = synthetic.jumping_jack(synthetic.regular(15, 30))
    tracker = PoseTracker(smooth="none")
    wrong = apart = 0
    for frame, (time, poses, moved) in enumerate(spoilt(scene, dips=False)):
        shown = tracker.update(poses, time).keypoints[0]
        truth = scene.keypoints[frame, 0]
        gap = np.linalg.norm(truth - truth[COCO.flip_order], axis=-1)
        wrong += (np.linalg.norm(shown - truth, axis=-1) > gap / 2)[gap > 20].sum()  # pixels, of a height of 200
        apart += moved[gap > 20].sum()
    assert apart > 200
    assert wrong < 0.03 * apart


def test_sides_that_stay_exchanged_are_accepted_and_nothing_flies():
    scene = synthetic.standing(synthetic.regular(2, 30))
    tracker = PoseTracker()
    for frame, (time, poses, _) in enumerate(scene.frames(noise=0.005)):
        keypoints = poses.keypoints[:, COCO.flip_order] if frame >= 30 else poses.keypoints
        shown = tracker.update(Poses(poses.boxes, keypoints, poses.scores, poses.box_scores), time).keypoints[0]
        truth = scene.keypoints[frame, 0]
        put_back = frame + 1 <= 30 + 30 * tracker.config.side_seconds
        expected = truth if put_back else truth[COCO.flip_order]
        assert np.abs(shown - expected)[5:].max() < 8  # pixels, of a height of 200


def test_legs_that_pass_each_other_keep_their_sides():
    scene = synthetic.walking(synthetic.regular(4, 30))
    tracker = PoseTracker(smooth="none")
    for time, poses, _ in scene.frames(noise=0.01):
        np.testing.assert_array_equal(tracker.update(poses, time).keypoints, poses.keypoints)


def test_predictions_stay_within_reach_and_their_scores_fall():
    scene = synthetic.jumping_jack(synthetic.regular(2, 30), rate=1.7)
    tracker, scores = PoseTracker(), []
    for frame, (time, poses, _) in enumerate(scene.frames()):
        keypoints, measured_scores = poses.keypoints.copy(), poses.scores.copy()
        if frame > 32:  # the arms move fastest
            keypoints[:, ARMS], measured_scores[:, ARMS] = np.nan, 0.0
        tracks = tracker.update(Poses(poses.boxes, keypoints, measured_scores), time)
        if 32 < frame < 40:
            assert (tracks.keypoint_states[0, ARMS] == PREDICTED).all()
            assert tracks.states == (State.MEASURED,)
            assert tracks[0].keypoint_states["left_wrist"] is State.PREDICTED
            assert tracks[0].keypoint_states["left_hip"] is State.MEASURED
            low, high = tracks.boxes[0, :2] - 30, tracks.boxes[0, 2:] + 30  # pixels, of a height of 200
            assert ((tracks.keypoints[0] >= low) & (tracks.keypoints[0] <= high)).all()
            scores.append(tracks.scores[0, ARMS].mean())
    assert (np.diff(scores) < 0).all()
