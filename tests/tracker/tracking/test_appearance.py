"""Appearance distinguishes people only if they are known and visible."""

import numpy as np
import pytest

from posetrack.tracker.tracking.appearance import learn, likeness

RED, BLUE, NO_ONE = np.eye(3)[0], np.eye(3)[1], np.zeros(3)


def alike(known, appearance, visible_share=1.0):
    return likeness(known[None], appearance[None], np.array([visible_share])).item()


def learnt(known, appearance, visible_share):
    return learn(known[None], appearance[None], np.array([visible_share]))[0]


def test_likeness_is_for_the_same_against_a_stranger_and_silent_where_nothing_is_known():
    assert alike(RED, RED) > 0 > alike(RED, BLUE)
    assert alike(NO_ONE, RED) == 0
    assert alike(RED, BLUE, visible_share=0.0) == 0


def test_appearance_is_learned_at_once_then_slowly_and_never_from_occluded_people():
    assert learnt(NO_ONE, BLUE, 0.1) == pytest.approx(BLUE)
    mean = learnt(RED, BLUE, 1.0)
    assert RED @ mean > 0.9 > RED @ BLUE
    assert mean @ BLUE > 0
    assert np.linalg.norm(mean) == pytest.approx(1)
    assert learnt(RED, BLUE, 0.1) == pytest.approx(RED)
