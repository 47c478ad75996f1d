"""Zones and lines: people who walk in, out, along, around and away, with truth from their paths."""

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.features.events.regions import Line, Zone, zones_from_config
from posetrack.tracker.features.events.zones import ZoneCounter, feet
from posetrack.tracker.types import Poses, State, Tracks

FPS = 25
COURT = Zone("court", ((100, 100), (300, 100), (300, 300), (100, 300)))
GATE = Line("gate", (200, 100), (200, 300))
ANKLES = [COCO.keypoints.index(f"{side}_ankle") for side in ("left", "right")]


def person(x, y, *, identity=1, state=State.MEASURED, ankle=0.9):
    keypoints = np.full((1, 17, 2), (x, y - 80), float)
    keypoints[0, ANKLES] = [[x - 10, y], [x + 10, y]]
    scores = np.full((1, 17), 0.9)
    scores[0, ANKLES] = ankle
    poses = Poses([[x - 30, y - 180, x + 30, y + 5]], keypoints, scores, [0.7])
    return Tracks(np.array([identity]), poses, np.zeros((1, 2)), (state,))


NO_PEOPLE = Tracks(
    np.zeros(0, int), Poses(np.zeros((0, 4)), np.zeros((0, 17, 2)), np.zeros((0, 17))), np.zeros((0, 2)), ()
)


def run(counter, path, *, finish=True):
    """Return the events of one person at the places (T, 2); None is a frame without them."""
    events = []
    for index, at in enumerate(path):
        events += counter.update(index, index / FPS, NO_PEOPLE if at is None else person(*at))
    return events + (counter.finish() if finish else [])


def straight(start, end, seconds=4):
    return np.linspace(start, end, round(seconds * FPS) + 1).tolist()


def listed(events):
    return [(event.event, round(event.time, 2), round(event.value, 2)) for event in events]


def test_a_walk_through_a_zone_counts_in_and_out_with_the_time_inside():
    counter = ZoneCounter([COURT])
    events = run(counter, straight((0, 200), (400, 200)))  # 100 px/s: inside from 1 s to 3 s
    assert listed(events) == [("court_in", 1.0, 1), ("court_out", 3.0, 2.0)]
    assert (counter.counts["court"].entered, counter.counts["court"].left) == (1, 1)
    assert counter.facts()["court"]["dwell_s"] == pytest.approx({"mean": 2.0, "max": 2.0})


@pytest.mark.parametrize(
    ("start", "end", "name"), [((100, 200), (300, 200), "gate_in"), ((300, 200), (100, 200), "gate_out")]
)
def test_a_line_counts_by_direction(start, end, name):
    (event,) = run(
        ZoneCounter([GATE]), straight(start, end)
    )  # the line runs downwards, so its left is the image's right
    assert event.event == name
    assert event.time == pytest.approx(2.0, abs=0.05)
    assert event.confidence == pytest.approx(0.9)


def test_around_the_end_of_a_line_counts_nothing():
    assert run(ZoneCounter([GATE]), straight((100, 350), (300, 350))) == []


def test_noise_at_an_edge_counts_once():
    rng = np.random.default_rng(0)
    path = np.array(straight((0, 200), (100, 200), 2) + [[100, 200]] * 50 + straight((100, 200), (200, 200), 2))
    path[:, 0] += rng.normal(0, 1.5, len(path))
    assert [event.event for event in run(ZoneCounter([COURT]), path.tolist(), finish=False)] == ["court_in"]


def test_people_inside_at_the_start_and_end_are_counted():
    counter = ZoneCounter([COURT, GATE])
    events = run(counter, [(150, 200)] * 51)
    assert listed(events) == [("court_in", 0, 1), ("court_lost", 2.0, 2.0)]
    assert counter.counts["court"].lost == 1


def test_a_person_who_is_not_seen_for_long_is_lost_where_they_were():
    events = run(ZoneCounter([COURT]), [(150, 200)] * 26 + [None] * (6 * FPS) + [(150, 200)] * 26)
    assert listed(events)[:3] == [("court_in", 0, 1), ("court_lost", 1.0, 1.0), ("court_in", 7.04, 2)]


def test_two_people_are_counted_apart_and_a_reset_forgets_them():
    counter = ZoneCounter([COURT])
    for identity in (1, 2):
        counter.update(0, 0.0, person(150, 200, identity=identity))
    assert counter.counts["court"].entered == 2
    counter.reset()
    assert counter.finish() == []
    assert counter.counts["court"].entered == 0


def test_a_predicted_person_does_not_move():
    counter = ZoneCounter([COURT])
    counter.update(0, 0.0, person(50, 200))
    for index in range(1, 20):
        assert counter.update(index, index / FPS, person(200, 200, state=State.PREDICTED)) == []


def test_without_ankles_a_person_is_where_their_box_ends():
    where, scores = feet(person(150, 200, ankle=0.1), COCO)
    assert where[0].tolist() == [150, 205]
    assert scores[0] == pytest.approx(0.7)


def test_a_concave_zone_is_outside_in_its_notch():
    letter = Zone("u", ((0, 0), (90, 0), (90, 90), (60, 90), (60, 30), (30, 30), (30, 90), (0, 90)))
    assert [letter.side((x, 60)) for x in (15, 45, 75, 100)] == [True, False, True, False]


def test_a_recipe_is_read():
    found = zones_from_config({"court": {"points": [[0, 0], [9, 0], [9, 9]]}}, {"gate": {"points": [[0, 0], [5, 5]]}})
    assert found == (Zone("court", ((0, 0), (9, 0), (9, 9))), Line("gate", (0, 0), (5, 5)))


@pytest.mark.parametrize(
    ("zones", "lines", "message"),
    [
        ({"a": {"points": [[0, 0], [9, 0]]}}, {}, "3 or more points"),
        ({"a": {"polygon": [[0, 0], [9, 0], [1, 1]]}}, {}, "nothing else"),
        ({"a": {"points": [[0, 0], [9, "x"], [1, 1]]}}, {}, "3 or more points"),
        ({"a": 3}, {}, "3 or more points"),
        ({}, {"b": {"points": [[0, 0], [9, 0], [1, 1]]}}, "2 different points"),
        ({}, {"b": {"points": [[4, 4], [4, 4]]}}, "starts and ends"),
        ({"a": {"points": [[0, 0], [9, 0], [1, 1]]}}, {"a": {"points": [[0, 0], [9, 0]]}}, "a zone and a line"),
    ],
)
def test_a_wrong_recipe_is_refused(zones, lines, message):
    with pytest.raises(UsageError, match=message):
        zones_from_config(zones, lines)
