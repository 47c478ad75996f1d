"""Looks tell people apart only where they are known and in view."""

import numpy as np
import pytest

from posetrack.tracker.tracking.appearance import learn, likeness

RED, BLUE, NOBODY = np.eye(3)[0], np.eye(3)[1], np.zeros(3)


def alike(known, look, uncovered=1.0):
    return likeness(known[None], look[None], np.array([uncovered])).item()


def learnt(known, look, uncovered):
    return learn(known[None], look[None], np.array([uncovered]))[0]


def test_likeness_is_for_the_same_against_a_stranger_and_silent_where_nothing_is_known():
    assert alike(RED, RED) > 0 > alike(RED, BLUE)
    assert alike(NOBODY, RED) == 0
    assert alike(RED, BLUE, uncovered=0.0) == 0


def test_looks_are_learnt_at_once_then_slowly_and_never_from_the_hidden():
    assert learnt(NOBODY, BLUE, 0.1) == pytest.approx(BLUE)
    mean = learnt(RED, BLUE, 1.0)
    assert RED @ mean > 0.9 > RED @ BLUE
    assert mean @ BLUE > 0
    assert np.linalg.norm(mean) == pytest.approx(1)
    assert learnt(RED, BLUE, 0.1) == pytest.approx(RED)
