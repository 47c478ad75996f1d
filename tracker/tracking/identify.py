"""Which pose is whose: the stages of matching, and who is new."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import life
from .appearance import likeness
from .association import Mask, Rows, associate
from .compiled import part
from .life import BOX, People
from .seen import Array, Seen
from .similarity import area, inside, overlap, reach

_ESTRANGED = 0.4  # how much less alike than a stranger somebody who comes back cannot be
_INSIDE = 0.75  # share of a box that lies in somebody's, from which it may be a part of them
_RECENT = 0.5  # seconds unseen, until which parts of somebody may turn up
_IN_VIEW = 0.3  # share of a person that must be in the picture for them to be hidden, not gone


@part
def identify(
    people: People,
    seen: Seen,
    doubtful: Mask,
    free: Array,
    width: float,
    height: float,
    sigmas: Array,
    options: Any,
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
    scores = life.faded(people.scores, people.ages, options.predicted_seconds)
    trusted = np.empty_like(seen.scores)
    for j in range(len(doubtful)):
        for k in range(len(sigmas)):
            trusted[j, k] = 0.0 if doubtful[j] else seen.scores[j, k]
    keypoints = people.positions[:, BOX:]
    similarity = overlap(inner, seen.boxes, keypoints, seen.keypoints, scores, trusted, sigmas, options.part)

    t, n = similarity.shape
    match, taken, high = np.full(t, -1, np.intp), np.zeros(n, np.bool_), np.empty(n, np.bool_)
    low, likely = np.empty(n, np.bool_), np.empty(n, np.bool_)
    tentative, confirmed, active = np.empty(t, np.bool_), np.empty(t, np.bool_), np.empty(t, np.bool_)
    for j in range(n):
        high[j], low[j] = seen.box_scores[j] >= options.high_score, seen.box_scores[j] < options.high_score
        likely[j] = seen.box_scores[j] >= options.birth_score
    for i in range(t):
        tentative[i] = people.ids[i] == 0
        confirmed[i] = people.ids[i] > 0 and life.awaited(people, i, options.lost_seconds, options.missed_looks)
        active[i] = people.ids[i] > 0 and life.awaited(people, i, options.predicted_seconds, 0)
        for j in range(n):
            if similarity[i, j] > 0:
                alike = likeness(people.looks, i, seen.looks, j, free[j])
                similarity[i, j] = min(max(similarity[i, j] + options.likeness * alike, 0.0), 1.0)
                if unseen[i] > options.predicted_seconds:
                    similarity[i, j] *= _known_again(alike)

    associate(match, taken, similarity, confirmed, high, options.gate)
    associate(match, taken, similarity, active, low, options.low_gate)
    back = _comebacks(people, boxes, inner, seen, free, match, taken, options)
    associate(match, taken, back, confirmed, likely, options.reach_gate)
    associate(match, taken, similarity, tentative, likely, options.gate)
    return match, _newcomers(seen, taken, people, inner, options)


@part
def _known_again(alike: float) -> float:
    """Return from 0 to 1 how well somebody who was away can be who they look like."""
    return min(max(1 + alike / _ESTRANGED, 0.0), 1.0)


@part
def _comebacks(
    people: People,
    boxes: Array,
    inner: Array,
    seen: Seen,
    free: Array,
    match: Rows,
    taken: Mask,
    options: Any,
) -> Array:
    """Return how well (T, N) the poses that are left could be people whom their boxes alone do not find.

    Somebody who was away goes on as before, or comes out where they went in; who left the picture does not. The sooner
    they come, the nearer to that place they must be: it finds who turned back while nobody saw them.

    Args:
        people: T tracks.
        boxes: (T, 4), theirs.
        inner: (T, 4), what of these is in the picture.
        seen: N poses.
        free: (N,), the share of each that nobody hides.
        match: (T,), the pose of each track; -1 where it has none.
        taken: (N,), the poses that have a track.
        options: of the tracker.
    """
    values, sizes = np.zeros((len(match), len(taken))), life.sizes(people.positions)
    for t in range(len(match)):
        if match[t] >= 0:
            continue
        spread = people.covariances[t, 0, 0] + (2 * options.box_noise * sizes[t]) ** 2
        hidden = area(inner, t) > _IN_VIEW * area(boxes, t)
        grown = min(people.ages[t, 0] / max(options.predicted_seconds, 1e-3), 1.0)
        place = (grown * options.place * sizes[t]) ** 2 if hidden else 0.0
        for n in range(len(taken)):
            if not taken[n]:
                likely = max(reach(boxes, t, seen.boxes, n, spread), reach(people.places, t, seen.boxes, n, place))
                if likely >= options.reach_gate:
                    values[t, n] = likely * _known_again(likeness(people.looks, t, seen.looks, n, free[n]))
    return values


@part
def _newcomers(seen: Seen, taken: Mask, people: People, inner: Array, options: Any) -> Rows:
    """Return the poses that begin a track: nobody's, sure, and not a part of somebody who is known or surer.

    Args:
        seen: N poses.
        taken: (N,), the poses that have a track.
        people: T tracks.
        inner: (T, 4), what of their boxes is in the picture.
        options: of the tracker.
    """
    rows, count = np.empty(len(taken), np.intp), 0
    for n in range(len(taken)):
        if taken[n] or seen.box_scores[n] < options.birth_score:
            continue
        share = 0.0
        for t in range(len(inner)):
            if people.ids[t] > 0 and life.awaited(people, t, _RECENT, 0):
                share = max(share, inside(seen.boxes, n, inner, t))
        for surer in range(n):
            share = max(share, inside(seen.boxes, n, seen.boxes, surer))
        if share <= _INSIDE or seen.box_scores[n] >= options.inside_score:
            rows[count] = n
            count += 1
    return rows[:count]
