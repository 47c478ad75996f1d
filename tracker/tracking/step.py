"""One step of the tracker in three parts: look at the poses, follow people to them, take in what they show."""

from __future__ import annotations

import numpy as np

from ..types import Poses
from .association import Rows
from .config import TrackerConfig
from .duplicates import Mask, distinct
from .identify import identify
from .life import BOX, People, sizes
from .motion import correct, predict
from .occlusion import uncovered
from .seen import Array, Seen, plausible, see, take
from .show import Shown, confirm, show
from .smoothing import one_euro


def look(poses: Poses, sigmas: Array, options: TrackerConfig) -> tuple[Seen, Mask, Array]:
    """Return the poses that can be people, each once, the surest first.

    Args:
        poses: of one frame.
        sigmas: (K,).
        options: of the tracker.

    Returns:
        N poses; of whose keypoints (N,) nobody knows whose they are; which share (N,) of each
        nobody hides.
    """
    everything = see(poses)
    seen = take(everything, plausible(everything, options.low_score))
    rows, doubtful = distinct(seen, sigmas, options.duplicate)
    if len(rows) < len(seen.boxes):
        seen = take(seen, rows)
    return seen, doubtful, uncovered(seen.boxes)


def follow(
    people: People,
    seen: Seen,
    doubtful: Mask,
    free: Array,
    dt: float,
    idle: float,
    width: float,
    height: float,
    sigmas: Array,
    options: TrackerConfig,
) -> tuple[Rows, Rows]:
    """Move people on by `dt` seconds, in place, and find them among the poses.

    Args:
        people: T tracks.
        seen: N poses.
        doubtful: (N,), of whose keypoints nobody knows whose they are.
        free: (N,), the share of each that nobody hides.
        dt: seconds since the last frame.
        idle: seconds since the last frame that was looked at, to the last frame.
        width: of the picture in pixels; infinite when it is not known.
        height: the same.
        sigmas: (K,).
        options: of the tracker.

    Returns:
        The pose (T,) of each track, -1 where it has none, and the poses that begin a track.
    """
    predict(people, dt, idle, options)
    return identify(people, seen, doubtful, free, width, height, sigmas, options)


def take_in(
    people: People,
    seen: Seen,
    match: Rows,
    looked: bool,
    free: Array,
    dt: float,
    width: float,
    height: float,
    sigmas: Array,
    options: TrackerConfig,
    next_id: int,
    credit: float,
) -> tuple[int, Mask, Shown]:
    """Correct people by their poses, in place, and show them.

    Args:
        people: T tracks, new ones too.
        seen: N poses.
        match: (T,), the pose of each track; -1 where it has none.
        looked: whether this frame was looked at.
        free: (N,), the share of each that nobody hides.
        dt: seconds since the last frame.
        width: of the picture in pixels; infinite when it is not known.
        height: the same.
        sigmas: (K,).
        options: of the tracker.
        next_id: of the next person.
        credit: what the box scores of somebody must sum up to for them to be shown.

    Returns:
        The next id; who (T,) is to be remembered; who is shown.
    """
    measured = correct(people, seen, match, looked, free, dt, sigmas, options)
    _smooth(people, measured, dt, options)
    next_id, alive = confirm(people, next_id, credit, options)
    return next_id, alive, show(people, width, height, options)


def _smooth(people: People, measured: Array, dt: float, options: TrackerConfig) -> None:
    """Decide where the keypoints are shown; `measured` (T, K, 2) are those of this frame."""
    positions, velocities = people.positions[:, BOX:], people.velocities[:, BOX:]
    if options.smooth == "one-euro":
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
    elif options.smooth == "none":
        people.smooth[...] = np.where((people.ages[:, 0] == 0)[:, None, None], measured, positions)
    else:
        people.smooth[...] = positions
