"""What is gathered of people is what their tracks say: places, spans, coverage, score and jitter."""

import numpy as np
import pytest

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.events.detector import EventDetector
from posetrack.tracker.features.extraction.stream import ActionFeatures
from posetrack.tracker.output.actions import ActionSink
from posetrack.tracker.report.collector import Collector
from posetrack.tracker.report.person import MAX_SPANS, Person
from posetrack.tracker.types import Poses, State, Tracks


def collected(frames):
    actions = ActionFeatures()
    collector = Collector(actions)
    with ActionSink(actions, EventDetector(actions), collector, movements=[collector.movement]) as sink:
        for index, time, tracks in frames:
            sink.write_rows(index, time, tracks)
    return collector


def person(time, state=State.MEASURED, shift=0.0, score=0.8):
    keypoints = np.stack([np.linspace(10, 60, 17), np.linspace(10, 200, 17)], -1)[None] + [time * 30, shift]
    poses = Poses([[0, 0, 80, 220]], keypoints, np.full((1, 17), score), [0.9])
    return Tracks([4], poses, np.zeros((1, 2)), (state,))


def test_series_are_the_features_and_places_of_every_frame(collect):
    scene = synthetic.walking(synthetic.regular(2, 30))
    measurements = collect(scene, person_height=1.8)
    table = measurements.series.table(1)
    column = {name: 1 + i for i, name in enumerate(measurements.columns)}
    np.testing.assert_allclose(table[:, 0], scene.times)
    np.testing.assert_array_equal(table[:, column["frame"]], np.arange(60))
    wrist = scene.keypoints[:, 0, COCO.keypoints.index("left_wrist")]
    np.testing.assert_allclose(table[:, [column["left_wrist_x"], column["left_wrist_y"]]], wrist, atol=1e-3)
    speed = table[10:-10, column["com_speed_m_s"]]
    assert speed.mean() == pytest.approx(150 / 200 * 1.8, rel=0.1)
    assert measurements.unit == "m/s"
    assert (measurements.start, measurements.end) == (0, pytest.approx(59 / 30))


def test_spans_and_coverage_follow_the_states():
    states = [State.MEASURED] * 3 + [State.PREDICTED] * 2 + [State.MEASURED]
    frames = [(i, i / 10, person(i / 10, state)) for i, state in enumerate(states)]
    frames += [(9, 0.9, person(0.9))]  # away for three frames
    one = collected(frames).measurements.people[4]
    message = [(round(start, 1), round(end, 1), state) for start, end, state in one.spans]
    assert message == [
        (0, 0.2, State.MEASURED),
        (0.2, 0.4, State.PREDICTED),
        (0.4, 0.5, State.MEASURED),
        (0.9, 0.9, State.MEASURED),
    ]
    assert one.coverage == pytest.approx(0.5)
    assert one.mean_score == pytest.approx(0.8)


def test_a_person_who_comes_and_goes_for_hours_has_a_bounded_number_of_spans():
    one = Person(1, 0)
    for index in range(5 * MAX_SPANS):
        one.add(index, float(index), State.MEASURED if index % 2 else State.PREDICTED, 0.5)
    spans = np.array([(start, end) for start, end, _ in one.spans])
    assert len(spans) <= MAX_SPANS
    assert (one.start, one.end) == (0, 5 * MAX_SPANS - 1)
    np.testing.assert_array_equal(spans[1:, 0], spans[:-1, 1])
    assert np.diff(spans).max() <= 0.01 * one.end
    assert one.coverage == 0.5


def test_jitter_is_the_distance_from_the_neighbours_line():
    still = collected((i, i / 30, person(i / 30)) for i in range(30)).measurements.people[4]
    shaky = collected((i, i / 30, person(i / 30, shift=3.0 * (i % 2))) for i in range(30)).measurements.people[4]
    assert still.mean_jitter == pytest.approx(0, abs=1e-4)
    assert shaky.mean_jitter == pytest.approx(3, rel=1e-3)


def test_a_restart_forgets_everything():
    actions = ActionFeatures()
    collector = Collector(actions)
    with ActionSink(actions, EventDetector(actions), collector, movements=[collector.movement]) as sink:
        for again in range(2):
            for i in range(10):
                sink.write_rows(i, i / 10, person(i / 10))
            if not again:
                sink.restart()
    assert collector.measurements.movement.people[4].extents["left_knee"].count == 10
    assert collector.measurements.people[4].states.total() == 10
    assert len(collector.measurements.series.table(4)) == 10
