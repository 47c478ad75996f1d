"""Appearance distinguishes people only if they are known and visible."""

import numpy as np
import pytest

from posetrack.tracker.tracking.appearance import learn, likeness, similarity

PARTS = 6
RED, BLUE, NO_ONE = (np.tile(colour, (PARTS, 1)) for colour in (np.eye(3)[0], np.eye(3)[1], np.zeros(3)))
SLEEVES = np.where(np.arange(PARTS)[:, None] == 2, BLUE, RED)  # RED but for one part


def alike(known, appearance, visible_share=1.0):
    return likeness(known[None], appearance[None], np.array([visible_share])).item()


def learnt(known, appearance, visible_share, least_rate=0.0, clear=True):
    state = np.array([visible_share]), np.array([least_rate]), np.array([clear])
    return learn(known[None], appearance[None], *state)[0]


def test_likeness_is_for_the_same_against_a_stranger_and_silent_where_nothing_is_known():
    assert alike(RED, RED) > 0 > alike(RED, BLUE)
    assert alike(NO_ONE, RED) == 0
    assert alike(RED, BLUE, visible_share=0.0) == 0


def test_one_part_of_another_colour_is_enough_to_doubt():
    alike = similarity(RED[None], np.array([RED, SLEEVES, BLUE]))[0][0]
    assert alike == pytest.approx([1, 5 / 12, 0])


def test_parts_that_are_hidden_are_not_compared():
    seen = RED.copy()
    seen[3:] = 0
    alike, parts = similarity(RED[None], np.array([seen, NO_ONE]))
    assert alike[0] == pytest.approx([1, 0])
    assert parts.tolist() == [[3, 0]]


def test_without_appearance_there_is_nothing_to_compare():
    alike, parts = similarity(np.zeros((2, 0, 0)), np.zeros((3, 0, 0)))
    assert alike.shape == parts.shape == (2, 3)
    assert not alike.any()


def test_appearance_is_learned_at_once_then_slowly_and_never_from_occluded_people():
    assert learnt(NO_ONE, BLUE, 0.1) == pytest.approx(BLUE)
    mean = learnt(RED, BLUE, 1.0)
    assert (RED * mean).sum(-1) == pytest.approx([(RED * mean)[0].sum()] * PARTS)
    assert (RED * mean)[0].sum() > 0.9
    assert (mean * BLUE)[0].sum() > 0
    assert np.linalg.norm(mean, axis=-1) == pytest.approx(1)
    assert learnt(RED, BLUE, 0.1) == pytest.approx(RED)
    assert (learnt(RED, BLUE, 1.0, least_rate=0.5) * BLUE)[0].sum() > (mean * BLUE)[0].sum()


def test_a_part_that_is_hidden_now_is_not_forgotten():
    bare = RED.copy()
    bare[1] = 0
    assert learnt(RED, bare, 1.0) == pytest.approx(RED)
    assert learnt(bare, RED, 1.0) == pytest.approx(RED)


def test_what_was_seen_behind_someone_is_replaced_once_no_one_is_in_front():
    assert learnt(RED, BLUE, 1.0, clear=False) == pytest.approx(BLUE)
    assert learnt(RED, BLUE, 0.5, clear=False) == pytest.approx(RED)
