"""Skeleton sequences for action recognition: tracks without gaps, at a constant rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...models.geometry.keypoints import Skeleton
from ..types import State
from .recording import MAX_RATE, Recording, TimedTracks
from .trajectories import Trajectories, from_tracks

MAX_GAP = 0.5  # seconds; about one step of a walk

Array = NDArray[Any]

_SAME = 1e-6  # seconds
_EARLY = 0.1  # of a frame: tolerance for the deviation of the nominal rate from that of the frames


@dataclass(frozen=True, slots=True)
class Sequence:
    """One person over T frames at equal time steps.

    Attributes:
        track_id: of the person; may have several sequences.
        skeleton: of the V keypoints.
        start: seconds of the first frame in the video.
        fps: frames per second.
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
        """Return x, y and score (T, V, 3), independent of the position and size of the person in the image.

        The origin is the mean centre of the boxes, the unit their median height; x points right and y down. Both are
        constant over the sequence, so steps, jumps and falls are preserved. Missing keypoints are 0, 0, 0.
        """
        centre = (self.boxes[:, :2] + self.boxes[:, 2:]).mean(0) / 2
        height = max(float(np.median(self.boxes[:, 3] - self.boxes[:, 1])), 1e-6)
        places = (self.keypoints - centre) / height
        return np.nan_to_num(np.concatenate([places, self.scores[..., None]], axis=-1)).astype(np.float32)


def sequences(recording: Recording, *, max_gap: float = MAX_GAP, rate: float | None = None) -> list[Sequence]:
    """Split the tracks of all people into sequences without gaps.

    Predicted poses count as gaps. Gaps of up to `max_gap` seconds are interpolated linearly in time; longer ones split
    the track. Keypoints that are missing for longer stay missing, as before their first and after their last
    observation. Interpolated keypoints have interpolated scores.

    Args:
        recording: with times.
        max_gap: longest interpolated gap in seconds.
        rate: frames per second of the sequences; that of the recording if omitted.

    Returns:
        Sequences of two frames or more, ordered by ID and time.

    Raises:
        UsageError: `max_gap` or `rate` is not positive, or the recording has no times.
    """
    if not 0 <= max_gap < math.inf:
        raise UsageError(f"max_gap is {max_gap} s; give a time from 0 on.")
    if rate is not None and not 0 < rate <= MAX_RATE:
        raise UsageError(f"rate is {rate}; give frames per second above 0, at most {MAX_RATE:g}.")
    people = from_tracks(_measured(recording), skeleton=recording.skeleton)
    found: list[Sequence] = []
    for person in np.unique(people.ids).tolist():
        track = people[people.ids == person]
        steps = np.diff(track.times) / np.maximum(np.diff(track.frames), 1)
        fps = rate or recording.fps or (1 / float(np.median(steps)) if len(steps) else 30.0)
        cuts = np.flatnonzero(np.diff(track.times) > max_gap + 1 / fps + _SAME) + 1
        for part in np.split(np.arange(len(track)), cuts):
            sequence = _resampled(track[part], fps, max_gap=max_gap)
            if len(sequence) > 1:
                found.append(sequence)
    return found


def _measured(recording: Recording) -> Iterator[TimedTracks]:
    """Yield the frames without predicted people."""
    for index, time, tracks in recording.timed():
        yield index, time, tracks[[state != State.PREDICTED for state in tracks.states]]


def _resampled(track: Trajectories, fps: float, *, max_gap: float) -> Sequence:
    """Return one part of a track at equal time steps."""
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
    """Return values (R, C), known at times (R,), for the times `at`; NaN in longer gaps and outside the range."""
    result = np.stack([np.interp(at, times, column) for column in values.T], axis=-1)
    after = np.minimum(np.searchsorted(times, at - _SAME), len(times) - 1)
    before = np.maximum(np.searchsorted(times, at + _SAME, side="right") - 1, 0)
    beyond = (at < times[0] - early) | (at > times[-1] + early)
    result[beyond | (times[after] - times[before] > within + _SAME)] = np.nan
    return result
