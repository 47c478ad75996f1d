"""Skeletons in time as networks for action recognition take them: tracks without gaps, at a steady rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry.keypoints import Skeleton
from ..types import State
from .recording import Recording, TimedTracks
from .trajectories import Trajectories, from_tracks

MAX_GAP = 0.5  # seconds; a step of a walk

Array = NDArray[Any]

_SAME = 1e-6  # seconds
_EARLY = 0.1  # of a frame, by which one may be missed: the nominal rate is seldom exactly that of the frames


@dataclass(frozen=True, slots=True)
class Sequence:
    """One person for as long as they could be followed: T frames at equal distances of time.

    Attributes:
        track_id: of the person; several sequences may have it.
        skeleton: of the V keypoints.
        start: seconds of the first frame in the video.
        fps: frames a second.
        keypoints: (T, V, 2) pixels; NaN where missing.
        scores: (T, V) in [0, 1]; 0 where missing.
        boxes: (T, 4) xyxy pixels.
    """

    track_id: int
    skeleton: Skeleton
    start: float
    fps: float
    keypoints: NDArray[np.float32]
    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keypoints)

    def normalised(self) -> NDArray[np.float32]:
        """Return x, y and score (T, V, 3), the same wherever in the image and however large the person is.

        The origin is where the middle of the person's boxes is on average, the unit the median height of the boxes; x
        goes right and y down. One origin and one unit serve the whole sequence: a step, a jump and a fall remain. What
        is missing is 0, 0, 0.
        """
        centre = (self.boxes[:, :2] + self.boxes[:, 2:]).mean(0) / 2
        height = max(float(np.median(self.boxes[:, 3] - self.boxes[:, 1])), 1e-6)
        places = (self.keypoints - centre) / height
        return np.nan_to_num(np.concatenate([places, self.scores[..., None]], axis=-1)).astype(np.float32)


def sequences(
    recording: Recording,
    *,
    max_gap: float = MAX_GAP,
    rate: float | None = None,
    min_frames: int = 2,
) -> list[Sequence]:
    """Cut everybody's track into sequences without gaps.

    Frames in which the person was only predicted count as a gap. One of `max_gap` seconds or less is interpolated,
    linearly in time; at a longer one the track is cut in two. A keypoint that is missing for longer than that stays
    missing, and so does one before it is first and after it is last seen. Interpolated keypoints have interpolated
    scores.

    Args:
        recording: with times.
        max_gap: seconds.
        rate: frames a second of the sequences; the recording's own when left out.
        min_frames: what is shorter is left out.

    Returns:
        In the order of the ids and of time.

    Raises:
        UsageError: `max_gap` or `rate` is not positive, or times are not known.
    """
    if max_gap < 0:
        raise UsageError(f"max_gap is {max_gap} s; give a time from 0 on.")
    if rate is not None and rate <= 0:
        raise UsageError(f"rate is {rate}; give frames a second above 0.")
    people = from_tracks(_seen(recording), skeleton=recording.skeleton)
    found: list[Sequence] = []
    for person in np.unique(people.ids).tolist():
        track = people[people.ids == person]
        steps = np.diff(track.times) / np.maximum(np.diff(track.frames), 1)
        fps = rate or recording.fps or (1 / float(np.median(steps)) if len(steps) else 30.0)
        cuts = np.flatnonzero(np.diff(track.times) > max_gap + 1 / fps + _SAME) + 1
        for part in np.split(np.arange(len(track)), cuts):
            sequence = _resampled(track[part], fps, max_gap=max_gap)
            if len(sequence) >= min_frames:
                found.append(sequence)
    return found


def _seen(recording: Recording) -> Iterator[TimedTracks]:
    """Return the frames without those who were only predicted there."""
    for index, time, tracks in recording.timed():
        yield index, time, tracks[[state != State.PREDICTED for state in tracks.states]]


def _resampled(track: Trajectories, fps: float, *, max_gap: float) -> Sequence:
    """Return one person's stretch at equal distances of time."""
    times, frame = track.times, 1 / fps
    at = times[0] + np.arange(int((times[-1] - times[0]) * fps + _EARLY) + 1) * frame
    places = np.concatenate([track.keypoints, track.scores[..., None]], axis=-1)  # (R, V, 3)
    points = np.full((len(at), *places.shape[1:]), np.nan)
    for v in range(places.shape[1]):
        known = np.isfinite(places[:, v]).all(-1)
        if known.any():
            points[:, v] = _interpolated(
                at, times[known], places[known, v], within=max_gap + frame, early=_EARLY * frame
            )
    boxes = np.stack([np.interp(at, times, side) for side in track.boxes.T], axis=-1)
    keypoints, scores, boxes = (a.astype(np.float32) for a in (points[..., :2], np.nan_to_num(points[..., 2]), boxes))
    return Sequence(int(track.ids[0]), track.skeleton, float(times[0]), float(fps), keypoints, scores, boxes)


def _interpolated(at: Array, times: Array, values: Array, *, within: float, early: float) -> Array:
    """Return values (R, C), known at times (R,), for the times `at`; NaN in longer gaps and beyond the ends."""
    result = np.stack([np.interp(at, times, column) for column in values.T], axis=-1)
    after = np.minimum(np.searchsorted(times, at - _SAME), len(times) - 1)
    before = np.maximum(np.searchsorted(times, at + _SAME, side="right") - 1, 0)
    beyond = (at < times[0] - early) | (at > times[-1] + early)
    result[beyond | (times[after] - times[before] > within + _SAME)] = np.nan
    return result
