"""Who lives on after a frame, and who is shown in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import life
from .compiled import part
from .life import People
from .similarity import area

Mask = NDArray[np.bool_]

_IN_VIEW = 0.3  # share of a person that must be in the picture for them to be shown


class Shown(NamedTuple):
    """N people of a frame in the order of their ids; `measured` (N,) tells who was seen, the rest is as in `Tracks`."""

    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    scores: NDArray[np.float32]
    box_scores: NDArray[np.float32]
    velocities: NDArray[np.float32]
    measured: Mask


@part
def confirm(people: People, next_id: int, credit: float, options: Any) -> tuple[int, Mask]:
    """Give ids to those who were seen often and surely enough.

    Args:
        people: T tracks.
        next_id: of the next person.
        credit: what the box scores of somebody must sum up to.
        options: of the tracker.

    Returns:
        The next id, and who (T,) is to be remembered: not those who have been away for too long.
    """
    alive = np.empty(len(people.ids), np.bool_)
    for t in range(len(alive)):
        if people.ids[t] == 0 and people.credits[t] >= credit:
            people.ids[t] = next_id
            next_id += 1
        until = options.lost_seconds if people.ids[t] > 0 else options.tentative_seconds
        alive[t] = life.awaited(people, t, until, options.missed_looks)
    return next_id, alive


@part
def show(people: People, width: float, height: float, options: Any) -> Shown:
    """Return everybody who has an id and was seen lately.

    Args:
        people: T tracks.
        width: of the picture in pixels; infinite when it is not known.
        height: the same.
        options: of the tracker.
    """
    ages, until = people.ages, options.predicted_seconds
    boxes, scores = life.boxes(people.positions), life.faded(people.scores, ages, until)
    for t in range(len(boxes)):
        for edge in range(4):
            boxes[t, edge] = people.places[t, edge] if ages[t, 0] == 0 else boxes[t, edge]
    inner = life.in_view(boxes, width, height)
    rows, n = np.empty(len(boxes), np.intp), 0
    for t in range(len(boxes)):
        here = ages[t, 0] <= until and area(inner, t) > _IN_VIEW * area(boxes, t)
        if people.ids[t] > 0 and (here or ages[t, 0] == 0):
            at = n
            while at > 0 and people.ids[t] < people.ids[rows[at - 1]]:
                rows[at] = rows[at - 1]
                at -= 1
            rows[at], n = t, n + 1
    k = scores.shape[1]
    shown = Shown(
        np.empty(n, np.int64),
        np.empty((n, 4), np.float32),
        np.empty((n, k, 2), np.float32),
        np.zeros((n, k), np.float32),
        np.empty(n, np.float32),
        np.empty((n, 2), np.float32),
        np.empty(n, np.bool_),
    )
    for i in range(n):
        t = rows[i]
        shown.ids[i], shown.measured[i] = people.ids[t], ages[t, 0] == 0
        shown.box_scores[i] = people.box_scores[t] * (1 - ages[t, 0] / max(until, 1e-3))
        for edge in range(4):
            shown.boxes[i, edge] = inner[t, edge]
        for axis in range(2):
            shown.velocities[i, axis] = people.velocities[t, 0, axis]
            for j in range(k):
                shown.keypoints[i, j, axis] = people.smooth[t, j, axis]
        for j in range(k):
            if not np.isnan(people.smooth[t, j, 0]):
                shown.scores[i, j] = scores[t, j]
    return shown
