"""One step of the tracker in three compiled parts: look at the poses, follow people to them, take in what they show.

Only these are called for every frame; between the second and the third the arrays grow by those who are new.
"""

from __future__ import annotations

from typing import Any

from .association import Rows
from .compiled import kernel, part
from .duplicates import Mask, distinct
from .identify import identify
from .life import BOX, People, sizes
from .motion import correct, predict
from .occlusion import uncovered
from .seen import Array, Seen, plausible, take
from .show import confirm, show
from .smoothing import one_euro

_NONE, _ONE_EURO = 0, 2  # places in `LATENCIES`


@kernel
def look(poses: Any, sigmas: Array, options: Any) -> tuple[Any, Mask, Array]:
    """Return the poses that can be people, each once, the surest first.

    Args:
        poses: as `see` gives them.
        sigmas: (K,).
        options: as `settings` gives them.

    Returns:
        The arrays of `Seen`, N poses; of whose keypoints (N,) nobody knows whose they are; which share (N,) of each
        nobody hides.
    """
    seen = Seen(*poses)
    seen = take(seen, plausible(seen, options[0].low_score))
    rows, doubtful = distinct(seen, sigmas, options[0].duplicate)
    seen = take(seen, rows)
    return seen[:], doubtful, uncovered(seen.boxes)


@kernel
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
    options: Any,
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
        options: as `settings` gives them.

    Returns:
        The pose (T,) of each track, -1 where it has none, and the poses that begin a track.
    """
    predict(people, dt, idle, options[0])
    return identify(people, seen, doubtful, free, width, height, sigmas, options[0])


@kernel
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
    options: Any,
    next_id: int,
    credit: float,
) -> tuple[int, Mask, Any]:
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
        options: as `settings` gives them.
        next_id: of the next person.
        credit: what the box scores of somebody must sum up to for them to be shown.

    Returns:
        The next id; who (T,) is to be remembered; the arrays of `Shown`.
    """
    measured = correct(people, seen, match, looked, free, dt, sigmas, options[0])
    _smooth(people, measured, dt, options[0])
    next_id, alive = confirm(people, next_id, credit, options[0])
    return next_id, alive, show(people, width, height, options[0])[:]


@part
def _smooth(people: People, measured: Array, dt: float, options: Any) -> None:
    """Decide where the keypoints are shown; `measured` (T, K, 2) are those of this frame."""
    positions, velocities = people.positions[:, BOX:], people.velocities[:, BOX:]
    if options.smooth == _ONE_EURO:
        one_euro(
            positions,
            velocities,
            people.smooth,
            people.rates,
            sizes(people.positions),
            dt,
            options.min_cutoff,
            options.beta,
            options.rate_cutoff,
            options.rest_speed,
        )
        return
    for t in range(positions.shape[0]):
        for k in range(positions.shape[1]):
            for axis in range(2):
                raw = options.smooth == _NONE and people.ages[t, 0] == 0
                people.smooth[t, k, axis] = measured[t, k, axis] if raw else positions[t, k, axis]
