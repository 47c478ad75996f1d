from dataclasses import replace

from posetrack.tracker.output.trails import TrailHistory


def test_a_trail_holds_the_last_seconds(people):
    history = TrailHistory(1.0)
    for index in range(30):
        trails = history.update(people(2, left=10.0 + index), index / 10)
    assert set(trails) == {1, 2}
    assert trails[1] == [(35.0 + index, 120.0) for index in range(19, 30)]


def test_a_new_scene_begins_new_trails(people):
    history = TrailHistory(1.0)
    history.update(people(1), 0.0)
    assert len(history.update(replace(people(1, left=50.0), new_scene=True), 0.1)[1]) == 1


def test_people_who_left_are_forgotten(people):
    history = TrailHistory(1.0)
    history.update(people(2), 0.0)
    assert set(history.update(people(1), 0.5)) == {1}
    history.update(people(1), 5.0)
    assert len(history.update(people(2), 5.1)[2]) == 1


def test_without_a_length_there_are_no_trails(people):
    assert TrailHistory(0.0).update(people(2), 0.0) == {}
