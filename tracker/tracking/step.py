"""One step of the tracker in three parts: filter the poses, match tracks to them, correct the tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import Poses
from .association import Rows
from .bounds import near, within_reach
from .config import TrackerConfig
from .duplicates import Mask, distinct
from .identify import identify
from .motion import correct, predict
from .observations import Array, Observations, from_poses, plausible, take
from .occlusion import visible_shares
from .smoothing import one_euro
from .state import BOX, TrackState, lengths, sizes
from .visible import VisiblePeople, confirm, visible_people


def observe(poses: Poses, sigmas: Array, options: TrackerConfig) -> tuple[Observations, Mask, Array]:
    """Return the plausible poses of a frame without duplicates, the most confident first.

    Args:
        poses: poses of one frame.
        sigmas: (K,) OKS sigmas.
        options: options of the tracker.

    Returns:
        N poses, a mask (N,) of ambiguous ones, whose keypoints may belong to another person, and the share (N,) of
        each person that is not occluded.
    """
    everything = from_poses(poses)
    observed = take(everything, plausible(everything, options.low_score))
    rows, ambiguous = distinct(observed, sigmas, options.duplicate)
    if len(rows) < len(observed.boxes):
        observed = take(observed, rows)
    return observed, ambiguous, visible_shares(observed.boxes)


def predict_and_match(
    people: TrackState,
    observed: Observations,
    ambiguous: Mask,
    visible_share: Array,
    dt: float,
    idle: float,
    width: float,
    height: float,
    sigmas: Array,
    options: TrackerConfig,
) -> tuple[Rows, Rows]:
    """Predict tracks by `dt` seconds, in place, and match them with the poses.

    Args:
        people: T tracks.
        observed: N poses.
        ambiguous: (N,) mask of poses whose keypoints may belong to another person.
        visible_share: (N,) share of each person that is not occluded.
        dt: seconds since the last frame.
        idle: seconds from the last processed frame to the last frame.
        width: image width in pixels; infinite if unknown.
        height: image height in pixels; infinite if unknown.
        sigmas: (K,) OKS sigmas.
        options: options of the tracker.

    Returns:
        The pose (T,) of each track, -1 if unmatched, and the poses that begin a track.
    """
    predict(people, dt, idle, options)
    return identify(people, observed, ambiguous, visible_share, width, height, sigmas, options)


def correct_and_output(
    people: TrackState,
    observed: Observations,
    match: Rows,
    identities: NDArray[np.int64],
    processed: bool,
    visible_share: Array,
    dt: float,
    idle: float,
    width: float,
    height: float,
    sigmas: Array,
    flip: Rows,
    options: TrackerConfig,
    next_id: int,
    confirmation_score: float,
) -> tuple[int, Mask, VisiblePeople]:
    """Correct tracks by their poses, in place, and return the people to output.

    Args:
        people: T tracks, including new ones.
        observed: N poses.
        match: (T,) pose of each track; -1 if unmatched.
        identities: (T,) ids of the known people that unconfirmed tracks are, see `memory`.
        processed: whether the networks ran on this frame.
        visible_share: (N,) share of each person that is not occluded.
        dt: seconds since the last frame.
        idle: seconds from the last processed frame to the last frame.
        width: image width in pixels; infinite if unknown.
        height: image height in pixels; infinite if unknown.
        sigmas: (K,) OKS sigmas.
        flip: (K,) index of the same keypoint on the other side.
        options: options of the tracker.
        next_id: id of the next confirmed track.
        confirmation_score: minimum sum of box scores of a confirmed track.

    Returns:
        The next id, a mask (T,) of the tracks to keep, and the output.
    """
    measured = correct(people, observed, match, processed, visible_share, dt, idle, sigmas, flip, options)
    seen = np.isfinite(measured[..., 0])
    if options.smooth != "none":
        seen &= people.ages[:, BOX:] == 0  # a filter leaves outliers out
    positions, predicted = people.positions, np.isfinite(people.positions[:, BOX:, 0]) & ~seen
    positions[:, BOX:] = within_reach(positions[:, BOX:], positions, predicted)
    _smooth(people, np.where(seen[..., None], measured, np.nan), dt, options)
    people.smooth[...] = within_reach(people.smooth, positions, predicted)
    next_id, alive = confirm(people, identities, next_id, confirmation_score, options)
    return next_id, alive, visible_people(people, seen, width, height, options)


def _smooth(people: TrackState, measured: Array, dt: float, options: TrackerConfig) -> None:
    """Update the smoothed keypoints, in place; `measured` (T, K, 2) are those of this frame, NaN if predicted."""
    positions, velocities = people.positions[:, BOX:], people.velocities[:, BOX:]
    if options.smooth == "none":
        people.smooth[...] = np.where((people.ages[:, 0] == 0)[:, None, None], measured, positions)
        return
    if options.smooth == "kalman":
        people.smooth[...] = positions
    else:
        one_euro(
            np.ascontiguousarray(positions),
            np.ascontiguousarray(velocities),
            people.smooth,
            people.rates,
            sizes(people.positions),
            dt,
            options.min_cutoff,
            options.beta,
            options.rate_cutoff,
            options.rest_speed,
        )
    people.smooth[...] = near(people.smooth, measured, options.keypoint_slack * lengths(people.positions))
