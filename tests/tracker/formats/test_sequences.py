"""Sequences for action recognition: gaps, rates, and each sequence's own position and scale."""

from pathlib import Path

import numpy as np
import pytest

from posetrack.errors import UsageError
from posetrack.tracker.formats.recording import Recording, tracks_of
from posetrack.tracker.formats.sequences import sequences
from posetrack.tracker.formats.trajectories import skeleton_of
from posetrack.tracker.types import State

PAIR = skeleton_of(["head", "foot"])


def recording(times, *, person=1, missing=(), predicted=(), fps=None):
    """A person whose head is at (100 t, 50), and whose foot is 40 lower."""
    times = np.asarray(times, dtype=float)

    def read():
        for index, time in enumerate(times.tolist()):
            if np.isnan(time):
                continue
            points = np.array([[[100 * time, 50.0], [100 * time, 90.0]]])
            for frame, k in missing:
                if frame == index:
                    points[0, k] = np.nan
            state = State.PREDICTED if index in predicted else State.MEASURED
            yield index, time, tracks_of([person], points, np.full((1, 2), 0.8), states=[state])

    return Recording(PAIR, read, Path("clip.csv"), fps=fps)


def steady(count, fps=10, *, without=()):
    return [np.nan if i in without else i / fps for i in range(count)]


def test_one_person_is_one_sequence():
    (sequence,) = sequences(recording(steady(20)))
    assert (sequence.track_id, sequence.start, len(sequence)) == (1, 0.0, 20)
    assert sequence.fps == pytest.approx(10)
    np.testing.assert_allclose(sequence.keypoints[:, 0, 0], np.arange(20) * 10, atol=1e-4)


@pytest.mark.parametrize(("gap", "lengths"), [(4, [20]), (5, [20]), (6, [5, 9])])
def test_a_gap_is_interpolated_up_to_half_a_second_and_cuts_beyond(gap, lengths):
    found = sequences(recording(steady(20, without=range(5, 5 + gap))))
    assert [len(sequence) for sequence in found] == lengths
    for sequence in found:
        np.testing.assert_allclose(np.diff(sequence.keypoints[:, 0, 0]), 10, atol=1e-3)
        assert sequence.scores.min() == pytest.approx(0.8)


def test_a_prediction_is_a_gap():
    assert [len(each) for each in sequences(recording(steady(20), predicted=range(5, 12)))] == [5, 8]
    assert [len(each) for each in sequences(recording(steady(20), predicted=range(5, 12)), max_gap=0.7)] == [20]


def test_a_keypoint_that_is_missing_for_long_stays_missing():
    brief, long = [(frame, 0) for frame in (4, 5)], [(frame, 1) for frame in range(8, 16)]
    (sequence,) = sequences(recording(steady(20), missing=[*brief, *long, (19, 0)]))
    assert np.flatnonzero(np.isnan(sequence.keypoints[:, 0, 0])).tolist() == [19]  # nothing after it is known
    assert np.flatnonzero(np.isnan(sequence.keypoints[:, 1, 0])).tolist() == list(range(8, 16))
    assert (sequence.scores[8:16, 1] == 0).all()


def test_time_is_that_of_the_frames_at_any_rate():
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 100))
    (sequence,) = sequences(recording(times), rate=20.0)
    at = sequence.start + np.arange(len(sequence)) / 20
    np.testing.assert_allclose(sequence.keypoints[:-1, 0, 0], 100 * at[:-1], atol=0.01)
    assert times[-1] - 0.05 <= at[-1] <= times[-1] + 0.005


@pytest.mark.parametrize("rate", [5.0, 30.0])
def test_another_rate(rate):
    (sequence,) = sequences(recording(steady(31)), rate=rate)
    assert len(sequence) == round(3 * rate) + 1
    np.testing.assert_allclose(np.diff(sequence.keypoints[:, 0, 0]), 100 / rate, atol=1e-3)


def test_place_and_size_leave_the_normalised_tensor_alone():
    def moved(scale, shift):
        def read():
            for index, time, tracks in recording(steady(20), missing=[(19, 0)]):
                poses = tracks.poses
                yield index, time, tracks_of([1], scale * poses.keypoints + shift, poses.scores)

        (sequence,) = sequences(Recording(PAIR, read, Path("clip.csv")))
        return sequence.normalised()

    one, other = moved(1, 0), moved(2.5, 300)
    assert one.shape == (20, 2, 3)
    assert np.isfinite(one).all()
    assert one[19, 0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert one[:19, 1, 1].mean() - one[:19, 0, 1].mean() == pytest.approx(1)  # body heights


def test_wrong_requests_are_sentences():
    with pytest.raises(UsageError, match="max_gap is -1"):
        sequences(recording(steady(3)), max_gap=-1)
    with pytest.raises(UsageError, match="rate is 0"):
        sequences(recording(steady(3)), rate=0)


def test_no_people_and_a_single_frame_give_no_sequence():
    assert sequences(recording([])) == sequences(recording([0.0])) == []
