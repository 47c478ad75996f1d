"""Which pose is whose: the stages of matching, and who is new."""

from __future__ import annotations

import numpy as np

from . import life
from .appearance import likeness
from .association import Mask, Rows, associate
from .boxes import areas, inside
from .config import TrackerConfig
from .life import BOX, People
from .seen import Array, Seen
from .similarity import overlap, reach

_ESTRANGED = 0.4  # how much less alike than a stranger somebody who comes back cannot be
_INSIDE = 0.75  # share of a box that lies in somebody's, from which it may be a part of them
_RECENT = 0.5  # seconds unseen, until which parts of somebody may turn up
_IN_VIEW = 0.3  # share of a person that must be in the picture for them to be hidden, not gone


def identify(
    people: People,
    seen: Seen,
    doubtful: Mask,
    free: Array,
    width: float,
    height: float,
    sigmas: Array,
    options: TrackerConfig,
) -> tuple[Rows, Rows]:
    """Return the pose (T,) of each track, -1 where it has none, and the poses that begin a track.

    Args:
        people: T tracks at the time of this frame.
        seen: N poses, the surest first.
        doubtful: (N,), of whose keypoints nobody knows whose they are.
        free: (N,), the share of each that nobody hides.
        width: of the picture in pixels; infinite when it is not known.
        height: the same.
        sigmas: (K,).
        options: of the tracker.
    """
    unseen = people.ages[:, 0]
    boxes = life.boxes(people.positions)
    inner = life.in_view(boxes, width, height)
    match, taken = np.full(len(boxes), -1), np.zeros(len(seen.boxes), dtype=bool)
    if len(match) and len(taken):
        scores = life.faded(people.scores, people.ages, options.predicted_seconds)
        trusted = np.where(doubtful[:, None], 0.0, seen.scores)
        keypoints = np.ascontiguousarray(people.positions[:, BOX:])
        similarity = overlap(inner, seen.boxes, keypoints, seen.keypoints, scores, trusted, sigmas, options.part)
        alike = likeness(people.looks, seen.looks, free)  # (T, N)
        known_again = np.minimum(
            np.maximum(1 + alike / _ESTRANGED, 0.0), 1.0
        )  # how well who was away can be who they look like
        near = np.minimum(np.maximum(similarity + options.likeness * alike, 0.0), 1.0)
        near *= np.where((unseen > options.predicted_seconds)[:, None], known_again, 1.0)
        similarity = np.where(similarity > 0, near, similarity)

        high, likely = seen.box_scores >= options.high_score, seen.box_scores >= options.birth_score
        known, tentative = people.ids > 0, people.ids == 0
        confirmed = known & life.awaited(people, options.lost_seconds, options.missed_looks)
        active = known & life.awaited(people, options.predicted_seconds, 0)
        associate(match, taken, similarity, confirmed, high, options.gate)
        associate(match, taken, similarity, active, ~high, options.low_gate)
        back = _comebacks(people, boxes, inner, seen, known_again, match, taken, options)
        associate(match, taken, back, confirmed, likely, options.reach_gate)
        associate(match, taken, similarity, tentative, likely, options.gate)
    return match, _newcomers(seen, taken, people, inner, options)


def _comebacks(
    people: People,
    boxes: Array,
    inner: Array,
    seen: Seen,
    known_again: Array,
    match: Rows,
    taken: Mask,
    options: TrackerConfig,
) -> Array:
    """Return how well (T, N) the poses that are left could be people whom their boxes alone do not find.

    Somebody who was away goes on as before, or comes out where they went in; who left the picture does not. The sooner
    they come, the nearer to that place they must be: it finds who turned back while nobody saw them.

    Args:
        people: T tracks.
        boxes: (T, 4), theirs.
        inner: (T, 4), what of these is in the picture.
        seen: N poses.
        known_again: (T, N) in [0, 1], how well the looks allow it.
        match: (T,), the pose of each track; -1 where it has none.
        taken: (N,), the poses that have a track.
        options: of the tracker.
    """
    values, t, n = np.zeros((len(match), len(taken))), np.flatnonzero(match < 0), np.flatnonzero(~taken)
    if len(t) and len(n):
        sizes, others = life.sizes(people.positions[t]), seen.boxes[n]
        spread = people.covariances[t, 0, 0] + (2 * options.box_noise * sizes) ** 2
        hidden = areas(inner[t]) > _IN_VIEW * areas(boxes[t])
        grown = np.minimum(people.ages[t, 0] / max(options.predicted_seconds, 1e-3), 1.0)
        place = np.where(hidden, (grown * options.place * sizes) ** 2, 0.0)
        likely = np.maximum(reach(boxes[t], others, spread), reach(people.places[t], others, place))
        rows = t[:, None]
        values[rows, n] = np.where(likely >= options.reach_gate, likely * known_again[rows, n], 0.0)
    return values


def _newcomers(seen: Seen, taken: Mask, people: People, inner: Array, options: TrackerConfig) -> Rows:
    """Return the poses that begin a track: nobody's, sure, and not a part of somebody who is known or surer.

    Args:
        seen: N poses.
        taken: (N,), the poses that have a track.
        people: T tracks.
        inner: (T, 4), what of their boxes is in the picture.
        options: of the tracker.
    """
    rows = np.flatnonzero(~taken & (seen.box_scores >= options.birth_score))
    if len(rows) == 0:
        return rows
    known = (people.ids > 0) & life.awaited(people, _RECENT, 0)
    share = inside(seen.boxes[rows], inner[known]).max(-1, initial=0.0)
    surer = inside(seen.boxes[rows], seen.boxes) * (np.arange(len(taken)) < rows[:, None])
    share = np.maximum(share, surer.max(-1))
    return rows[(share <= _INSIDE) | (seen.box_scores[rows] >= options.inside_score)]
