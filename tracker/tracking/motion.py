"""What is known of people, moved on to the time of a frame and corrected by what it shows."""

from __future__ import annotations

import numpy as np

from . import kalman, life
from .appearance import learn
from .association import Rows
from .config import TrackerConfig
from .life import BOX, People
from .occlusion import complete
from .outliers import leave_out
from .seen import Array, Seen, take

_FRESH = 0.9  # of a shown box is this frame's: the filter's lags, and boxes need not be calm as keypoints do
_UNKNOWN = 4.0  # seconds; a new point's speed is as uncertain as after straying for so long
_MOST = 0.6  # of its score that one frame counts: after none but the first is anybody shown for one frame alone
_TRUST = 0.05  # the score of a keypoint is not believed to be less


def predict(people: People, dt: float, idle: float, options: TrackerConfig) -> None:
    """Move all tracks on by `dt` seconds; the last detection was `idle` seconds ago.

    Keypoints that were not seen for longer than `predicted_seconds` are forgotten: after that time, which is a single
    frame of a slow video, limbs may be anywhere. What is measured next is not smoothed with the past.
    """
    points, ages = (people.positions, people.velocities, people.covariances), people.ages
    sizes = life.sizes(people.positions)
    people.velocities[:, 0] *= np.where(ages[:, 0] > idle, np.exp(-dt / options.lost_settle_seconds), 1.0)[:, None]
    kalman.coast(points, ages, idle, dt, options.settle_seconds)
    kalman.wander(points, 1, (options.scale_agility * sizes) ** 2 / dt)
    kalman.predict(points, dt, (_agilities(ages.shape[1], options) * sizes[:, None]) ** 2)
    people.ages[...] += dt
    old = ages[:, BOX:] > options.predicted_seconds
    people.scores[old] = 0.0
    people.positions[:, BOX:][old] = people.smooth[old] = np.nan


def _agilities(count: int, options: TrackerConfig) -> Array:
    """Return how far the speed of each of a person's points strays in a second, in sizes per second."""
    values = np.full(count, options.keypoint_agility)
    values[:BOX] = options.box_agility, options.scale_agility
    return values


def correct(
    people: People,
    seen: Seen,
    match: Rows,
    looked: bool,
    free: Array,
    dt: float,
    sigmas: Array,
    options: TrackerConfig,
) -> Array:
    """Take in what this frame measured.

    Args:
        people: T tracks.
        seen: N poses.
        match: (T,), the pose of each track; -1 where it has none.
        looked: whether this frame was looked at; who was not seen in it was missed then.
        free: (N,), the share of each that nobody hides.
        dt: seconds.
        sigmas: (K,).
        options: of the tracker.

    Returns:
        The keypoints (T, K, 2) that were measured, NaN where there is none.
    """
    tracks = np.flatnonzero(match >= 0)
    people.misses[...] = np.where(match < 0, people.misses + looked, 0.0)
    if len(tracks) == 0:
        return np.full(people.smooth.shape, np.nan)
    seen, free = take(seen, match[tracks]), free[match[tracks]]  # M people, each in the row of their track
    whole = _whole(people, seen, tracks, np.exp(-dt / options.part_seconds), options)
    shape = people.positions.shape
    measured, noise, speed = np.full(shape, np.nan), np.zeros(shape[:2]), np.zeros(shape[:2])
    measured[tracks, 0], measured[tracks, 1] = (whole[:, :2] + whole[:, 2:]) / 2, whole[:, 2:] - whole[:, :2]
    measured[tracks, BOX:] = seen.keypoints
    known, born = life.sizes(people.positions[tracks]), np.sqrt(measured[tracks, 1, 0] * measured[tracks, 1, 1])
    sizes = np.where(people.credits[tracks] > 0, known, born)[:, None]  # (M, 1)
    noise[tracks, :BOX] = (options.box_noise / seen.box_scores[:, None] * sizes) ** 2
    noise[tracks, BOX:] = (options.keypoint_noise * sigmas / np.maximum(seen.scores, _TRUST) * sizes) ** 2
    speed[tracks] = sizes * _agilities(shape[1], options) * np.sqrt(_UNKNOWN)
    raw = measured[:, BOX:].copy()
    leave_out(
        measured,
        people.positions,
        people.covariances,
        noise,
        people.strays,
        people.stray_places,
        BOX,
        options.keypoint_gate,
        options.keypoint_patience,
    )
    people.smooth[np.isnan(people.positions[:, BOX:, 0])] = np.nan  # starts afresh, and so does its smoothing
    kalman.update((people.positions, people.velocities, people.covariances), measured, noise, speed)
    _remember(people, seen, tracks, free, whole, measured[tracks, BOX:])
    return raw


def _whole(people: People, seen: Seen, tracks: Rows, keep: float, options: TrackerConfig) -> Array:
    """Return the boxes (M, 4) of those who are seen, completed where the person is known and something hides them."""
    expected, boxes = life.boxes(people.positions[tracks]), seen.boxes
    low, high = complete(boxes[:, :2], boxes[:, 2:], expected[:, :2], expected[:, 2:], options.tolerance, keep)
    return np.where((people.ids[tracks] > 0)[:, None], np.concatenate([low, high], axis=1), boxes)


def _remember(people: People, seen: Seen, tracks: Rows, free: Array, whole: Array, measured: Array) -> None:
    """Note who is seen in this frame, where, how surely, and how they look.

    Args:
        people: T tracks.
        seen: M poses.
        tracks: (M,), the rows of those who are seen.
        free: (M,), the share of each that nobody hides.
        whole: (M, 4), their boxes.
        measured: (M, K, 2), the keypoints that were believed; NaN where there is none.
    """
    people.credits[tracks] += np.minimum(seen.box_scores, _MOST)
    people.box_scores[tracks] = seen.box_scores
    believed = ~np.isnan(measured[..., 0])
    people.scores[tracks] = np.where(believed, seen.scores, people.scores[tracks])
    people.ages[tracks, :BOX] = 0.0
    people.ages[tracks, BOX:] = np.where(believed, 0.0, people.ages[tracks, BOX:])
    boxes = life.boxes(people.positions[tracks])
    people.places[tracks] = boxes + _FRESH * (whole - boxes)
    part = (whole != seen.boxes).any(-1)
    people.looks[tracks] = learn(people.looks[tracks], seen.looks, np.where(part, 0.0, free))
