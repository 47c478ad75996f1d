"""Predict the state of tracks to the time of a frame, and correct it by the frame's observations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import kalman, state
from .appearance import learn, uncovered
from .association import Rows
from .config import TrackerConfig
from .evidence import evidence_of_person
from .observations import Array, Observations
from .occlusion import learn_edges, place_hidden_edges, without_occlusion
from .outliers import reject_outliers
from .sides import restore_sides
from .state import BOX, TrackState

_FRESH = 0.9  # greatest weight of the measured box in the output: the filter lags
_HALF_WEIGHT = (
    0.01  # sizes; distance of a measured edge from the filter's at which it has half that weight: jitter is smaller
)
_UNKNOWN = 4.0  # seconds of random acceleration that give a new point's uncertainty of speed
_MOST = 0.6  # maximum per frame of the confirmation score, so that one frame confirms a track only in the first frame
_ROUNDING = 1 + 1e-6  # of sums of time steps
_MIN_SCORE = 0.05  # lower bound of a keypoint's score in the measurement noise


class Step(NamedTuple):
    """The step from the last frame to this one.

    Attributes:
        seconds: since the last frame.
        idle: seconds from the last processed frame to the last frame.
        processed: whether the networks ran on this frame, so that an unmatched track counts as missed.
    """

    seconds: float
    idle: float
    processed: bool


def predict(people: TrackState, step: Step, options: TrackerConfig) -> None:
    """Predict all tracks to this frame, in place.

    Keypoints without a measurement for more than `predicted_seconds` are forgotten: after that time, which is a single
    frame of a slow video, limbs may be anywhere. The next measurement is not smoothed with the past.
    """
    points, ages, dt = (people.positions, people.velocities, people.covariances), people.ages, step.seconds
    sizes = state.sizes(people.positions)
    unseen = ages[:, 0] > step.idle
    people.velocities[:, 0] *= np.where(unseen, np.exp(-dt / options.lost_settle_seconds), 1.0)[:, None]
    kalman.coast(points, ages, step.idle, dt, options.settle_seconds)
    kalman.random_walk(points, 1, (options.scale_agility * sizes) ** 2 / dt)
    kalman.predict(points, dt, (_agilities(ages.shape[1], options) * sizes[:, None]) ** 2)
    people.ages[...] += dt
    people.lifetimes[...] += dt
    old = ages[:, BOX:] > options.predicted_seconds
    people.scores[old] = 0.0
    people.positions[:, BOX:][old] = people.smooth_keypoints[old] = np.nan


def _agilities(count: int, options: TrackerConfig) -> Array:
    """Return the change of each point's velocity within a second, in sizes per second (standard deviation)."""
    values = np.full(count, options.keypoint_agility)
    values[:BOX] = options.box_agility, options.scale_agility
    return values


def correct(
    people: TrackState,
    observed: Observations,
    match: Rows,
    step: Step,
    sigmas: Array,
    flip: Rows,
    options: TrackerConfig,
) -> Array:
    """Correct tracks by this frame's observations, in place.

    Args:
        people: T tracks.
        observed: N poses.
        match: (T,) pose of each track; -1 if unmatched.
        step: from the last frame to this one.
        sigmas: (K,) OKS sigmas.
        flip: (K,) index of the same keypoint on the other side.
        options: options of the tracker.

    Returns:
        The measured keypoints (T, K, 2), each on its side; NaN if not measured.
    """
    tracks = np.flatnonzero(match >= 0)
    people.misses[...] = np.where(match < 0, people.misses + step.processed, 0.0)
    if len(tracks) == 0:
        return np.full(people.smooth_keypoints.shape, np.nan)
    observed = observed.select(match[tracks])  # M people, each in the row of their track
    boxes = _complete_boxes(people, observed, tracks, step.seconds, options)
    shape = people.positions.shape
    measured, noise, speed = np.full(shape, np.nan), np.zeros(shape[:2]), np.zeros(shape[:2])
    measured[tracks, 0], measured[tracks, 1] = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    known, born = state.sizes(people.positions[tracks]), np.sqrt(measured[tracks, 1, 0] * measured[tracks, 1, 1])
    sizes = np.where(people.ages[tracks, 0] < np.inf, known, born)[:, None]  # (M, 1)
    noise[tracks, :BOX] = (options.box_noise / observed.box_scores[:, None] * sizes) ** 2
    spread = (options.keypoint_noise * sigmas * sizes) ** 2
    variances = people.covariances[tracks, BOX:, 0] + spread / np.maximum(observed.scores, _MIN_SCORE) ** 2
    observed = restore_sides(
        people,
        tracks,
        observed,
        variances,
        flip,
        step.seconds,
        margin=options.side_gate,
        gate=options.keypoint_gate,
        patience=options.side_seconds,
    )
    measured[tracks, BOX:] = observed.keypoints
    noise[tracks, BOX:] = spread / np.maximum(observed.scores, _MIN_SCORE) ** 2
    speed[tracks] = sizes * _agilities(shape[1], options) * np.sqrt(_UNKNOWN)
    raw = measured[:, BOX:].copy()
    reject_outliers(
        measured,
        people.positions,
        people.covariances,
        noise,
        people.outlier_counts,
        people.outlier_places,
        people.ages,
        (step.seconds + step.idle) * _ROUNDING,
        BOX,
        options.keypoint_gate,
        options.keypoint_patience,
    )
    restarts = np.isnan(people.positions[:, BOX:, 0])
    people.smooth_keypoints[restarts] = np.nan
    kalman.update((people.positions, people.velocities, people.covariances), measured, noise, speed)
    observed = observed._replace(keypoints=measured[tracks, BOX:])  # without outliers
    _remember_scores(people, observed, tracks, options)
    _remember_boxes(people, observed, tracks, boxes, step.seconds)
    _remember_appearance(people, observed, tracks, boxes, step.seconds)
    return raw


def _complete_boxes(
    people: TrackState, observed: Observations, tracks: Rows, dt: float, options: TrackerConfig
) -> Array:
    """Return the boxes (M, 4) of matched tracks; the boxes of confirmed, partly occluded people are completed."""
    boxes, known = observed.boxes.copy(), people.ids[tracks] > 0
    positions = people.positions[tracks[known]]
    boxes[known] = without_occlusion(
        boxes[known], state.boxes(positions), positions[:, BOX:], observed.scores[known], dt, options
    )
    return boxes


def _remember_scores(people: TrackState, observed: Observations, tracks: Rows, options: TrackerConfig) -> None:
    """Store scores and ages of the tracks in M rows; keypoints without a measurement keep theirs."""
    new = np.flatnonzero(people.ids[tracks] == 0)
    if len(new):
        box_scores = observed.box_scores[new]
        evidence = evidence_of_person(box_scores, observed.scores[new], options.person_score)
        sums = people.confirmation_scores[tracks[new]] + np.minimum(box_scores, _MOST) * evidence
        people.confirmation_scores[tracks[new]] = np.maximum(sums, 0.0)
    people.box_scores[tracks] = observed.box_scores
    measured = ~np.isnan(observed.keypoints[..., 0])
    people.scores[tracks] = np.where(measured, observed.scores, people.scores[tracks])
    people.ages[tracks, :BOX] = 0.0
    people.ages[tracks, BOX:] = np.where(measured, 0.0, people.ages[tracks, BOX:])


def _remember_boxes(people: TrackState, observed: Observations, tracks: Rows, completed: Array, dt: float) -> None:
    """Store the boxes to output of the tracks in M rows, and learn where the edges of visible people are.

    Args:
        people: T tracks.
        observed: M poses.
        tracks: (M,) rows of their tracks.
        completed: (M, 4) their boxes without occlusion.
        dt: seconds since the last frame.
    """
    boxes, hidden, points, scores = observed.boxes, observed.hidden_edges, observed.keypoints, observed.scores
    filtered, edges = state.boxes(people.positions[tracks]), people.edge_distances[tracks]
    steps = place_hidden_edges(completed, boxes, hidden, points, scores, edges) - filtered
    half = (_HALF_WEIGHT * state.sizes(people.positions[tracks]))[:, None] ** 2
    people.output_boxes[tracks] = filtered + _FRESH * steps**3 / (steps**2 + half)
    seen = ~hidden & (completed == boxes)
    people.edge_distances[tracks] = learn_edges(edges, boxes, seen, points, scores, dt)


def _remember_appearance(people: TrackState, observed: Observations, tracks: Rows, completed: Array, dt: float) -> None:
    """Learn the appearance of the tracks in M rows; the arguments are as in `_remember_boxes`."""
    part = (completed != observed.boxes).any(-1)
    visible_share = np.where(part, 0.0, observed.visible_share)
    least_rates = 2 * dt / (people.lifetimes[tracks] + 2 * dt)
    people.appearance[tracks] = learn(
        people.appearance[tracks], observed.appearance, visible_share, least_rates, people.unoccluded[tracks]
    )
    people.unoccluded[tracks] |= uncovered(visible_share)
