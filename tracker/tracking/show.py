"""Who lives on after a frame, and who is shown in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import life
from .boxes import areas
from .config import TrackerConfig
from .life import People

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


def confirm(people: People, next_id: int, credit: float, options: TrackerConfig) -> tuple[int, Mask]:
    """Give ids to those who were seen often and surely enough.

    Args:
        people: T tracks.
        next_id: of the next person.
        credit: what the box scores of somebody must sum up to.
        options: of the tracker.

    Returns:
        The next id, and who (T,) is to be remembered: not those who have been away for too long.
    """
    new = np.flatnonzero((people.ids == 0) & (people.credits >= credit))
    people.ids[new] = next_id + np.arange(len(new))
    until = np.where(people.ids > 0, options.lost_seconds, options.tentative_seconds)
    return next_id + len(new), life.awaited(people, until, options.missed_looks)


def show(people: People, width: float, height: float, options: TrackerConfig) -> Shown:
    """Return everybody who has an id and was seen lately.

    Args:
        people: T tracks.
        width: of the picture in pixels; infinite when it is not known.
        height: the same.
        options: of the tracker.
    """
    unseen, until = people.ages[:, 0], options.predicted_seconds
    boxes = np.where(unseen[:, None] == 0, people.places, life.boxes(people.positions))
    inner = life.in_view(boxes, width, height)
    here = (unseen <= until) & (areas(inner) > _IN_VIEW * areas(boxes))
    rows = np.flatnonzero((people.ids > 0) & (here | (unseen == 0)))
    rows = rows[np.argsort(people.ids[rows])]
    keypoints, scores = people.smooth[rows], life.faded(people.scores[rows], people.ages[rows], until)
    return Shown(
        people.ids[rows],
        inner[rows].astype(np.float32),
        keypoints.astype(np.float32),
        np.where(np.isnan(keypoints[..., 0]), 0.0, scores).astype(np.float32),
        (people.box_scores[rows] * (1 - unseen[rows] / max(until, 1e-3))).astype(np.float32),
        people.velocities[rows, 0].astype(np.float32),
        unseen[rows] == 0,
    )
