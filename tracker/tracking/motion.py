"""What is known of people, moved on to the time of a frame and corrected by what it shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kalman, life
from .appearance import learn
from .association import Rows
from .compiled import part
from .kalman import Points
from .life import BOX, People
from .occlusion import complete
from .outliers import leave_out
from .seen import Array, Seen

_FRESH = 0.9  # of a shown box is this frame's: the filter's lags, and boxes need not be calm as keypoints do
_UNKNOWN = 4.0  # seconds; a new point's speed is as uncertain as after straying for so long
_MOST = 0.6  # of its score that one frame counts: after none but the first is anybody shown for one frame alone
_TRUST = 0.05  # the score of a keypoint is not believed to be less


@part
def predict(people: People, dt: float, idle: float, options: Any) -> None:
    """Move everybody on by `dt` seconds; nobody has looked for `idle` seconds.

    Keypoints that were not seen for longer than `predicted_seconds` are forgotten: after that time, which is a single
    frame of a slow video, limbs may be anywhere. What is measured next is not smoothed with the past.
    """
    points, ages = Points(people.positions, people.velocities, people.covariances), people.ages
    sizes = life.sizes(people.positions)
    rest = np.exp(-dt / options.lost_settle_seconds)
    walk, density = np.empty(len(sizes)), np.empty(ages.shape)
    for t in range(len(sizes)):
        walk[t] = (options.scale_agility * sizes[t]) ** 2 / dt
        if ages[t, 0] > idle:
            points.velocities[t, 0, 0] *= rest
            points.velocities[t, 0, 1] *= rest
        for p in range(ages.shape[1]):
            density[t, p] = (_agility(p, options) * sizes[t]) ** 2
    kalman.coast(points, ages, idle, dt, options.settle_seconds)
    kalman.wander(points, 1, walk)
    kalman.predict(points, dt, density)
    for t in range(ages.shape[0]):
        for p in range(ages.shape[1]):
            ages[t, p] += dt
            if p >= BOX and ages[t, p] > options.predicted_seconds:
                people.scores[t, p - BOX] = 0.0
                for axis in range(2):
                    points.positions[t, p, axis] = people.smooth[t, p - BOX, axis] = np.nan


@part
def _agility(p: int, options: Any) -> float:
    """Return how far the speed of a person's point strays in a second, in sizes per second."""
    return options.box_agility if p == 0 else options.scale_agility if p == 1 else options.keypoint_agility


@part
def correct(
    people: People, seen: Seen, match: Rows, looked: bool, free: Array, dt: float, sigmas: Array, options: Any
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
    whole = _whole(people, seen, match, np.exp(-dt / options.part_seconds), options)
    sizes, shape = life.sizes(people.positions), people.positions.shape
    measured, noise, speed = np.full(shape, np.nan), np.empty(shape[:2]), np.empty(shape[:2])
    for t in range(len(match)):
        n = match[t]
        if n < 0:
            people.misses[t] += looked
            continue
        people.misses[t] = 0.0
        for axis in range(2):
            low, high = whole[t, axis], whole[t, 2 + axis]
            measured[t, 0, axis], measured[t, 1, axis] = (low + high) / 2, high - low
            for k in range(len(sigmas)):
                measured[t, BOX + k, axis] = seen.keypoints[n, k, axis]
        size = sizes[t] if people.credits[t] > 0 else np.sqrt(measured[t, 1, 0] * measured[t, 1, 1])
        for p in range(shape[1]):
            share = options.box_noise / seen.box_scores[n]
            if p >= BOX:
                share = options.keypoint_noise * sigmas[p - BOX] / max(seen.scores[n, p - BOX], _TRUST)
            noise[t, p] = (share * size) ** 2
            speed[t, p] = size * _agility(p, options) * np.sqrt(_UNKNOWN)
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
    for t in range(len(match)):
        for k in range(len(sigmas)):
            if np.isnan(people.positions[t, BOX + k, 0]):  # starts afresh, and so does its smoothing
                people.smooth[t, k, 0] = people.smooth[t, k, 1] = np.nan
    kalman.update(Points(people.positions, people.velocities, people.covariances), measured, noise, speed)
    _remember(people, seen, match, free, whole, measured)
    return raw


@part
def _whole(people: People, seen: Seen, match: Rows, keep: float, options: Any) -> Array:
    """Return the boxes (T, 4) of those who are seen, completed where the person is known and something hides them."""
    boxes, whole = life.boxes(people.positions), np.empty((len(match), 4))
    for t in range(len(match)):
        n = match[t]
        if n < 0:
            continue
        for axis in range(2):
            low, high = seen.boxes[n, axis], seen.boxes[n, 2 + axis]
            if people.ids[t] > 0:
                start, end = boxes[t, axis], boxes[t, 2 + axis]
                low, high = complete(low, high, start, end, options.tolerance, keep)
            whole[t, axis], whole[t, 2 + axis] = low, high
    return whole


@part
def _remember(people: People, seen: Seen, match: Rows, free: Array, whole: Array, measured: Array) -> None:
    """Note who is seen in this frame, where, how surely, and how they look.

    Args:
        people: T tracks.
        seen: N poses.
        match: (T,), the pose of each track; -1 where it has none.
        free: (N,), the share of each that nobody hides.
        whole: (T, 4), the boxes of those who are seen.
        measured: (T, 2 + K, 2), the points that were believed; NaN where there is none.
    """
    boxes = life.boxes(people.positions)
    for t in range(len(match)):
        n = match[t]
        if n < 0:
            continue
        people.credits[t] += min(seen.box_scores[n], _MOST)
        people.box_scores[t] = seen.box_scores[n]
        for p in range(BOX):
            people.ages[t, p] = 0.0
        for k in range(seen.scores.shape[1]):
            if not np.isnan(measured[t, BOX + k, 0]):
                people.scores[t, k], people.ages[t, BOX + k] = seen.scores[n, k], 0.0
        part = False
        for edge in range(4):
            people.places[t, edge] = boxes[t, edge] + _FRESH * (whole[t, edge] - boxes[t, edge])
            part = part or whole[t, edge] != seen.boxes[n, edge]
        learn(people.looks, t, seen.looks, n, 0.0 if part else free[n])
