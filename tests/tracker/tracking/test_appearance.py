"""Looks tell people apart only where they are known and in view."""

import numpy as np
import pytest

from posetrack.tracker.tracking.appearance import learn, likeness

RED, BLUE, NOBODY = np.eye(3)[0], np.eye(3)[1], np.zeros(3)


def test_likeness_is_for_the_same_against_a_stranger_and_silent_where_nothing_is_known():
    alike = likeness(np.array([RED, NOBODY]), np.array([RED, BLUE, BLUE]), np.array([1.0, 1.0, 0.0]))
    assert alike[0, 0] > 0 > alike[0, 1]
    assert alike[1] == pytest.approx(0)
    assert alike[:, 2] == pytest.approx(0)


def test_looks_are_learnt_at_once_then_slowly_and_never_from_the_hidden():
    mean = learn(np.array([NOBODY, RED, RED]), np.array([BLUE, BLUE, BLUE]), np.array([0.1, 1.0, 0.1]))
    assert mean[0] == pytest.approx(BLUE)
    assert RED @ mean[1] > 0.9 > RED @ BLUE
    assert mean[1] @ BLUE > 0
    assert mean[2] == pytest.approx(RED)
    assert np.linalg.norm(mean, axis=-1) == pytest.approx(1)
