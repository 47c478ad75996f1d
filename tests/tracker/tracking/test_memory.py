"""People who come back get their own ids back, and no one gets another person's."""

import numpy as np
import pytest

from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Poses

FPS = 10
RED, BLUE, BLACK = (0,) * 6, (1,) * 6, (2,) * 6
BARE_ARMS = (2, 2, 3, 2, 2, 2)  # BLACK, but for the forearms


def seen(*people):
    """Return the poses of people at a place x, with the colours (numbers below 8) of their parts; None is hidden."""
    boxes = [[x, 50, x + 60, 250] for x, _ in people]
    appearances = [
        [np.zeros(8) if part is None else np.eye(8)[part] for part in appearance] for _, appearance in people
    ]
    none = np.full((len(people), 17, 2), np.nan)
    return Poses(
        np.reshape(boxes, (-1, 4)), none, np.zeros(none.shape[:2]), features=np.reshape(appearances, (-1, 6, 8))
    )


def run(*acts, tracker=None):
    """Play (seconds, people) one after the other; return the ids at the end of each act, from left to right."""
    tracker, frame, ids = tracker or PoseTracker(), 0, []
    for seconds, people in acts:
        for _ in range(round(seconds * FPS)):
            tracks = tracker.update(seen(*people), frame / FPS)
            frame += 1
        ids.append(tracks.ids[np.argsort(tracks.boxes[:, 0])].tolist())
    return ids


@pytest.mark.parametrize("away", [3, 20, 50])
def test_who_comes_back_anywhere_has_the_old_id(away):
    assert run((2, [(100, RED)]), (away, []), (2, [(500, RED)])) == [[1], [], [1]]
    assert run((2, [(100, RED)]), (away, []), (2, [(500, BLUE)])) == [[1], [], [2]]


def test_people_are_forgotten_after_a_time_which_may_be_zero():
    acts = (2, [(100, RED)]), (6, []), (2, [(500, RED)])
    for seconds, ids in ((5, [2]), (7, [1]), (0, [2])):
        assert run(*acts, tracker=PoseTracker(remember_seconds=seconds))[-1] == ids


@pytest.mark.parametrize("hidden", [1, 5])
def test_people_who_change_places_out_of_sight_keep_their_ids(hidden):
    before, after = [(100, RED), (300, BLUE)], [(100, BLUE), (300, RED)]
    assert run((2, before), (hidden, []), (2, after)) == [[1, 2], [], [2, 1]]
    assert run((2, before), (hidden, []), (2, before)) == [[1, 2], [], [1, 2]]


def test_a_look_that_two_people_share_identifies_neither():
    assert run((2, [(100, BLACK), (300, BLACK)]), (5, []), (2, [(200, BLACK)]))[-1] == [3]
    assert run((2, [(100, BLACK), (300, BLACK)]), (5, [(300, BLACK)]), (3, [(0, BLACK), (300, BLACK)]))[-1] == [3, 2]


def test_two_newcomers_who_look_alike_are_both_new():
    assert run((2, [(100, BLACK)]), (5, []), (3, [(100, BLACK), (300, BLACK)]))[-1] == [2, 3]


def test_one_part_distinguishes_two_people_in_black():
    acts = (2, [(100, BLACK), (300, BARE_ARMS)]), (5, []), (2, [(200, BARE_ARMS)])
    assert run(*acts)[-1] == [2]


def test_who_is_still_here_is_not_who_comes():
    assert run((2, [(100, RED)]), (2, [(100, RED), (500, RED)]))[-1] == [1, 2]


def test_no_one_is_at_two_distant_places_at_once():
    far = 60 + 200 * 12  # heights are 200 pixels
    assert run((2, [(100, RED)]), (0.6, []), (3, [(far, RED)]))[-1] == [2]
    assert run((2, [(100, RED)]), (6, []), (3, [(far, RED)]))[-1] == [1]


def test_a_person_of_whom_little_is_visible_waits_and_then_is_new():
    hidden = (0, 0, None, None, None, None)
    tracker = PoseTracker()
    run((2, [(100, RED)]), (3, []), tracker=tracker)
    ids = [tracker.update(seen((500, hidden)), 5 + frame / FPS).ids.tolist() for frame in range(30)]
    assert ids[5] == []
    assert ids[-1] == [2]


def test_a_person_of_whom_more_comes_into_sight_is_recognised():
    hidden, tracker = (0, 0, None, None, None, None), PoseTracker()
    run((2, [(100, RED)]), (3, []), tracker=tracker)
    for frame in range(5):
        tracker.update(seen((500, hidden)), 5 + frame / FPS)
    ids = [tracker.update(seen((500, RED)), 5.5 + frame / FPS).ids.tolist() for frame in range(5)]
    assert ids[-1] == [1]


def test_someone_who_walks_into_the_image_is_not_recognised_by_the_first_parts():
    jacket, legs_hidden = BLACK, (2, 2, None, 2, None, 2)
    entering = (0.6, [(100, legs_hidden)]), (2, [(100, BARE_ARMS)])
    assert run((2, [(500, jacket)]), (5, []), *entering)[1:] == [[], [], [2]]


def test_someone_of_whom_only_a_half_is_ever_visible_is_recognised():
    half = (2, 2, 2, None, None, 2)
    assert run((2, [(500, half)]), (5, []), (2, [(100, half)])) == [[1], [], [1]]


def test_someone_who_looks_like_no_one_known_does_not_wait():
    tracker = PoseTracker()
    run((2, [(100, RED)]), (3, []), tracker=tracker)
    ids = [tracker.update(seen((500, BLUE)), 5 + frame / FPS).ids.tolist() for frame in range(3)]
    assert ids == [[], [2], [2]]


@pytest.mark.parametrize("end", ["cut", "reset"])
def test_a_cut_forgets_everyone(end):
    tracker = PoseTracker()
    run((2, [(100, RED)]), (3, []), tracker=tracker)
    getattr(tracker, end)()
    for frame in range(10):
        tracks = tracker.update(seen((500, RED)), 5 + frame / FPS)
    assert tracks.ids.tolist() == [2 if end == "cut" else 1]


def test_several_views_of_a_person_are_known():
    front, back = RED, (0, 0, 0, 0, 0, 4)
    turning = (2, [(100, front)]), (3, [(100, back)]), (5, []), (2, [(500, front)])
    assert run(*turning)[-1] == [1]


def test_places_move_with_the_camera():
    tracker = PoseTracker()
    run((2, [(100, RED)]), (3, []), tracker=tracker)
    pan = np.array([[1.0, 0, 5000], [0, 1, 0]])
    tracker.update(Poses.empty(), 5.0, motion=pan)
    for frame in range(20):
        tracks = tracker.update(seen((5100, RED)), 5.1 + frame / FPS)
    assert tracks.ids.tolist() == [1]


def test_vectors_without_parts_are_compared_too():
    """Appearance of one part, such as the vector of another network."""
    tracker = PoseTracker()
    for frame in range(60):
        if frame < 20 or frame >= 50:
            poses = seen((100.0 if frame < 20 else 500.0, RED))
            one = Poses(poses.boxes, poses.keypoints, poses.scores, features=poses.features[:, :1])
        else:
            one = Poses.empty()
        tracks = tracker.update(one, frame / FPS)
    assert tracks.ids.tolist() == [1]
