"""Confirm and delete tracks, and collect the people that are visible in the output."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import areas
from . import state
from .config import TrackerConfig
from .state import TrackState

Mask = NDArray[np.bool_]

_IN_VIEW = 0.3  # minimum share of a predicted person's box inside the image


class VisiblePeople(NamedTuple):
    """The output of a frame: N people in the order of their ids.

    `measured` (N,) is False for predicted people, `seen` (N, K) for predicted keypoints; the other arrays are as in
    `Tracks`.
    """

    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    scores: NDArray[np.float32]
    box_scores: NDArray[np.float32]
    velocities: NDArray[np.float32]
    measured: Mask
    seen: Mask


def confirm(
    people: TrackState,
    identities: NDArray[np.int64],
    next_id: int,
    first: bool,
    options: TrackerConfig,
) -> tuple[int, Mask]:
    """Give ids to tracks with a sufficient confirmation score, or with a single good frame if there is no other.

    Args:
        people: T tracks.
        identities: (T,) ids of the known people that they are; 0 for a new person, -1 if undecided.
        next_id: id of the next confirmed track.
        first: whether this is the first frame of a scene.
        options: options of the tracker.

    Returns:
        The next id, and a mask (T,) of the tracks to keep; the others were lost for too long.
    """
    scores = people.confirmation_scores
    sure = (scores > 0) & (people.box_scores >= options.high_score) if first else scores >= options.confirmation_score
    ready = (people.ids == 0) & sure
    back, new = np.flatnonzero(ready & (identities > 0)), np.flatnonzero(ready & (identities == 0))
    replaced = np.isin(people.ids, identities[back])  # the lost tracks of those who are back
    people.ids[back], people.ids[new] = identities[back], next_id + np.arange(len(new))
    until = np.where(people.ids > 0, options.lost_seconds, options.tentative_seconds)
    return next_id + len(new), state.recent(people, until, options.missed_frames) & ~replaced


def visible_people(people: TrackState, seen: Mask, size: tuple[float, float], options: TrackerConfig) -> VisiblePeople:
    """Return the confirmed people who are measured, or predicted for a short time.

    Args:
        people: T tracks.
        seen: (T, K) mask of the keypoints that are measured in this frame, not predicted.
        size: (height, width) of the image in pixels; infinite if unknown.
        options: options of the tracker.
    """
    unseen, until = people.ages[:, 0], options.predicted_seconds
    boxes = np.where(unseen[:, None] == 0, people.output_boxes, state.boxes(people.positions))
    inner = state.in_view(boxes, size)
    here = (unseen <= until) & (areas(inner) > _IN_VIEW * areas(boxes))
    rows = np.flatnonzero((people.ids > 0) & (here | (unseen == 0)))
    rows = rows[np.argsort(people.ids[rows])]
    keypoints, scores = people.smooth_keypoints[rows], state.faded(people.scores[rows], people.ages[rows], until)
    return VisiblePeople(
        people.ids[rows],
        inner[rows].astype(np.float32),
        keypoints.astype(np.float32),
        np.where(np.isnan(keypoints[..., 0]), 0.0, scores).astype(np.float32),
        (people.box_scores[rows] * (1 - unseen[rows] / max(until, 1e-3))).astype(np.float32),
        people.velocities[rows, 0].astype(np.float32),
        unseen[rows] == 0,
        seen[rows],
    )
