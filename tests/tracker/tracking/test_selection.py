"""Who is chosen, frame by frame and from the whole run."""

from dataclasses import replace

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.tracker.tracking.selection import Selection, within
from posetrack.tracker.tracking.selectors import AtPlace, parse_roi
from posetrack.tracker.types import Poses, State, Tracks


def frame(**boxes):
    """Tracks of one frame: `_3=(x, y, w, h)` is a person with id 3."""
    corners = [[x, y, x + w, y + h] for x, y, w, h in boxes.values()]
    n = len(boxes)
    poses = Poses(np.reshape(corners, (-1, 4)), np.zeros((n, 17, 2)), np.ones((n, 17)))
    return Tracks([int(name[1:]) for name in boxes], poses, np.zeros((n, 2)), (State.MEASURED,) * n, [[1, 2, 3, 4]])


def ids(frames):
    return [each.ids.tolist() for each in frames]


def test_all_people_are_selected_by_default():
    tracks = frame(_1=(0, 0, 10, 20), _2=(50, 0, 10, 20))
    select = Selection()
    assert not select.whole
    assert ids([select(tracks), *select.choose([0.0], [tracks])]) == [[1, 2], [1, 2]]


def test_an_id():
    select = Selection(2)
    assert not select.whole
    frames = [frame(_1=(0, 0, 10, 20)), frame(), frame(_1=(0, 0, 10, 20), _2=(50, 0, 10, 20))]
    assert ids(map(select, frames[:2])) == [[], []]
    assert select.unmet == "No person had the id 2; the ids went up to 1. Run without --person to see all people."
    assert ids(map(select, frames[2:])) == [[2]]
    assert not select.unmet
    assert select(frames[2]).others.tolist() == [[1, 2, 3, 4]]  # whose faces are to be hidden all the same


def test_the_largest_stays_until_another_person_is_clearly_larger():
    select = Selection("largest")
    sizes = [(10, 11), (10, 9), (10, 12), (10, 14), (10, 8), (14, 14)]  # areas x 100
    frames = [frame(_1=(0, 0, a * 10, 10), _2=(50, 0, b * 10, 10)) for a, b in sizes]
    assert ids(map(select, frames)) == [[2], [2], [2], [2], [2], [2]]
    assert ids([select(frame(_1=(0, 0, 27, 10), _2=(50, 0, 20, 10)))]) == [[1]]
    assert ids([select(frame(_2=(50, 0, 20, 10))), select(frame())]) == [[2], []]


def test_a_predicted_person_never_takes_over_but_stays_selected():
    one, two = frame(_1=(0, 0, 10, 10), _2=(0, 0, 90, 90)), frame(_1=(0, 0, 10, 10), _2=(0, 0, 9, 9))
    guessed = [replace(tracks, states=(State.MEASURED, State.PREDICTED)) for tracks in (one, two)]
    assert ids(map(Selection("largest"), [guessed[0]])) == [[1]]
    assert ids(map(Selection("largest"), [one, guessed[1]])) == [[2], [2]]


def test_the_longest_is_who_has_most_frames():
    frames = [frame(_1=(0, 0, 9, 9), _2=(20, 0, 9, 9)), frame(_2=(20, 0, 9, 9)), frame(_3=(0, 0, 50, 50))]
    select = Selection("longest")
    assert select.whole
    assert ids(select.choose([0, 1, 2], frames)) == [[2], [2], []]


def test_brief_people_are_left_out():
    frames = [frame(_1=(0, 0, 9, 9)), frame(_1=(0, 0, 9, 9), _2=(20, 0, 9, 9)), frame(_1=(0, 0, 9, 9))]
    select = Selection(min_length=2.0)
    assert select.whole
    assert ids(select.choose([0, 1, 2], frames)) == [[1], [1], [1]]
    assert ids(Selection(min_length=3.0).choose([0, 1, 2], frames)) == [[], [], []]
    assert ids(Selection("longest", min_length=3.0).choose([0, 1, 2], frames)) == [[], [], []]


def test_the_person_at_a_place_is_selected_before_and_after():
    one, two = (0, 0, 100, 100), (60, 0, 40, 100)
    frames = [frame(_1=one), frame(_1=one, _2=two), frame(_2=two)]
    assert ids(Selection(AtPlace(85, 50, 1.1)).choose([0, 1, 2], frames)) == [[], [2], [2]]  # the nearer centre
    assert ids(Selection(AtPlace(20, 50, 1.1)).choose([0, 1, 2], frames)) == [[1], [1], []]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (AtPlace(300, 50, 1), "No person is at 300,50 at 1 s. People there: 1 at 50,50"),
        (AtPlace(50, 50, 2), "People there: none"),
        (AtPlace(50, 50, 9), "the frames cover"),
    ],
)
def test_no_person_at_the_place_is_an_error(place, message):
    frames = [frame(_1=(0, 0, 100, 100)), frame(_1=(0, 0, 100, 100)), frame()]
    with pytest.raises(UsageError, match=message):
        Selection(place).choose([0, 1, 2], frames)


def test_a_region_is_entered_and_left_and_comes_first():
    frames = [frame(_1=(x, 0, 20, 20), _2=(200, 0, 90, 90)) for x in (0, 40, 80, 120)]
    roi = parse_roi("45,0,60,100")
    assert ids(map(Selection(roi=roi), frames)) == [[], [1], [1], []]
    assert ids(map(Selection("largest", roi=roi), frames)) == [[], [1], [1], []]
    assert ids(Selection(min_length=1.5, roi=roi).choose([0, 1, 2, 3], frames)) == [[], [], [], []]
    assert ids(map(Selection(roi=roi), [frame()])) == [[]]


def test_points_in_polygons():
    star = np.array([[0, 0], [10, 0], [10, 10], [5, 3], [0, 10]], dtype=float)  # with a notch from below
    points = np.array([[1, 1], [5, 2], [5, 5], [9, 8], [11, 1], [-1, 0], [2, 6]], dtype=float)
    assert within(points, star).tolist() == [True, True, False, True, False, False, True]
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 3, (500, 2))
    square = np.array(parse_roi("0,0,2,1"))
    expected = (points[:, 0] > 0) & (points[:, 0] < 2) & (points[:, 1] > 0) & (points[:, 1] < 1)
    np.testing.assert_array_equal(within(points, square), expected)
    np.testing.assert_array_equal(within(points, square[::-1]), expected)
