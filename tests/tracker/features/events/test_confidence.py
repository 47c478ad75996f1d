"""Stated confidences hold for other motions, noise and sides than those on which they were fitted."""

import motions
import numpy as np
import pytest
from performed import features

from posetrack.tracker.features.events.confidence import confidence
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures

STAND = motions.stand(1)
PARTS = {
    "step": [STAND, motions.walk(14, cadence=100)],
    "squat": [STAND, motions.squats(6, seconds=1.8)],
    "push_up": [STAND, motions.push_ups(6, seconds=1.4), STAND],
}


@pytest.mark.parametrize("event", ["step", "squat", "fall", "left_hand_raised", "mine"])
def test_the_confidence_is_a_probability_that_grows_with_margin_and_quality(event):
    grid = [[confidence(event, margin=m, quality=q) for q in (0.1, 0.5, 0.9)] for m in (0.0, 0.5, 1.5)]
    assert (np.diff(grid, axis=0) > 0).all()
    assert (np.diff(grid, axis=1) > 0).all()
    assert 0 < np.min(grid) < np.max(grid) < 1
    assert confidence(event, margin=1.0, quality=np.nan) < confidence(event, margin=1.0, quality=0.1)


@pytest.mark.slow
def test_stated_and_true_shares_agree():
    stated, right = [], []
    for number, (name, parts) in enumerate(PARTS.items()):
        for noise, missing in ((0.01, 0.05), (0.02, 0.1)):
            actions = ActionFeatures()
            detector = EventDetector(actions)
            blend = 2.5 if name == "push_up" else 1.0
            words = {"noise": noise, "missing": missing, "yaw": 20 + 20 * number, "seed": 40 + number}
            truth, done = features(parts, actions=actions, blend=blend, **words)
            times = np.array([time for event, time in truth if event == name])
            for event in (event for row in done for event in detector.update(row)):
                stated.append(event.confidence)
                right.append(event.event == name and np.abs(times - event.time).min() < 0.8)
    assert len(stated) >= 40
    assert np.mean(stated) == pytest.approx(np.mean(right), abs=0.12)
