"""Assign poses to tracks: the stages of matching, and the poses that begin tracks."""

from __future__ import annotations

import numpy as np

from ...models.geometry.boxes import areas, inside
from . import state
from .appearance import likeness
from .association import Mask, Rows, associate
from .config import TrackerConfig
from .observations import Array, Observations
from .similarity import overlap, reappearance_likelihood
from .state import BOX, TrackState

_DISSIMILAR = 0.07  # appearance similarity below zero at which a lost track cannot be reidentified
_SIMILAR = 0.1  # appearance similarity above zero at which a person who is leaving or left the image may be back
_OUTSIDE = 0.1  # of the width or height, from which a person is leaving the image
_TURNED = 0.2  # of the width or height, by which someone who turned, or who enters, is further inside than expected
_INSIDE = 0.55  # share of a box inside another person's box, from which it may be a part of that person
_EDGE = 0.05  # of the whole box's longer side, within which two edges are the same
_RECENT = 0.5  # seconds without observation, during which parts of a person may still be detected
_IN_VIEW = 0.3  # share of a person's box inside the image, above which an unobserved person is occluded, not gone


def identify(
    people: TrackState,
    observed: Observations,
    size: tuple[float, float],
    sigmas: Array,
    options: TrackerConfig,
) -> tuple[Rows, Rows]:
    """Return the pose (T,) of each track, -1 if unmatched, and the poses that begin a track.

    Args:
        people: T tracks, predicted to the time of this frame.
        observed: N poses.
        size: (height, width) of the image in pixels; infinite if unknown.
        sigmas: (K,) OKS sigmas.
        options: options of the tracker.
    """
    unseen = people.ages[:, 0]
    boxes = state.boxes(people.positions)
    inner = state.in_view(boxes, size)
    match, taken = np.full(len(boxes), -1), np.zeros(len(observed.boxes), dtype=bool)
    if len(match) and len(taken):
        scores = state.faded(people.scores, people.ages, options.predicted_seconds)
        trusted = np.where(observed.ambiguous[:, None], 0.0, observed.scores)
        keypoints = np.ascontiguousarray(people.positions[:, BOX:])
        similarity = overlap(
            inner, observed.boxes, keypoints, observed.keypoints, scores, trusted, sigmas, options.part
        )
        alike = likeness(people.appearance, observed.appearance, observed.visible_share)  # (T, N)
        # (T, N) in [0, 1]: 0 excludes the reidentification of a lost track. Clothes that were only seen behind others
        # may be theirs, and exclude nothing.
        compatible = np.where(people.unoccluded[:, None], np.clip(1 + alike / _DISSIMILAR, 0.0, 1.0), 1.0)
        near = np.minimum(np.maximum(similarity + options.likeness * alike, 0.0), 1.0)
        near *= np.where((unseen > options.predicted_seconds)[:, None], compatible, 1.0)
        strange = people.unoccluded[:, None] & (alike < _SIMILAR) & (alike != 0)
        newcomers = strange & _come_in(boxes, inner, observed.boxes)
        similarity = np.where((similarity > 0) & ~newcomers, near, 0.0)

        high, likely = observed.box_scores >= options.high_score, observed.box_scores >= options.birth_score
        known, tentative = people.ids > 0, people.ids == 0
        confirmed = known & state.recent(people, options.lost_seconds, options.missed_frames)
        active = known & state.recent(people, options.predicted_seconds, 0)
        associate(match, taken, similarity, confirmed, high, options.gate)
        associate(match, taken, similarity, active, ~high, options.low_gate)
        back = _returns(people, boxes, inner, observed, alike, compatible, match, taken, options)
        associate(match, taken, back, confirmed, likely, options.reach_gate)
        associate(match, taken, similarity, tentative, likely, options.gate)
    return match, _new_people(observed, taken, people, inner, options)


def _returns(
    people: TrackState,
    boxes: Array,
    inner: Array,
    observed: Observations,
    alike: Array,
    compatible: Array,
    match: Rows,
    taken: Mask,
    options: TrackerConfig,
) -> Array:
    """Return the likelihood (T, N) that an unmatched pose continues a lost track.

    An occluded person reappears on the predicted path, or near the place of the last observation, for example after
    turning back. The shorter the occlusion, the nearer that place must be. A person who left the image does not
    reappear at the last place.

    Args:
        people: T tracks.
        boxes: (T, 4) predicted boxes of the tracks.
        inner: (T, 4) those boxes, clipped to the image.
        observed: N poses.
        alike: (T, N), how alike the appearance is, see `likeness`.
        compatible: (T, N) in [0, 1], how compatible the appearance is.
        match: (T,) pose of each track; -1 if unmatched.
        taken: (N,) mask of the poses that have a track.
        options: options of the tracker.
    """
    values, t, n = np.zeros((len(match), len(taken))), np.flatnonzero(match < 0), np.flatnonzero(~taken)
    if len(t) and len(n):
        sizes, others = state.sizes(people.positions[t]), observed.boxes[n]
        spread = people.covariances[t, 0, 0] + (2 * options.box_noise * sizes) ** 2
        hidden = areas(inner[t]) > _IN_VIEW * areas(boxes[t])
        grown = np.minimum(people.ages[t, 0] / max(options.predicted_seconds, 1e-3), 1.0)
        place = np.where(hidden, (grown * options.place * sizes) ** 2, 0.0)
        likely = np.maximum(
            reappearance_likelihood(boxes[t], others, spread),
            reappearance_likelihood(people.output_boxes[t], others, place),
        )
        rows = t[:, None]
        left = (~hidden & people.appearance[t].any((1, 2)))[:, None]  # others enter where someone left
        trust = np.where(left, alike[rows, n] >= _SIMILAR, compatible[rows, n])
        values[rows, n] = np.where(likely >= options.reach_gate, likely * trust, 0.0)
    return values


def _new_people(observed: Observations, taken: Mask, people: TrackState, inner: Array, options: TrackerConfig) -> Rows:
    """Return the poses that begin a track: unmatched, confident, and no part of a known or more confident person.

    Args:
        observed: N poses.
        taken: (N,) mask of the poses that have a track.
        people: T tracks.
        inner: (T, 4) their boxes, clipped to the image.
        options: options of the tracker.
    """
    rows = np.flatnonzero(~taken & (observed.box_scores >= options.birth_score))
    if len(rows) == 0:
        return rows
    known = (people.ids > 0) & state.recent(people, _RECENT, 0)
    share = inside(observed.boxes[rows], inner[known]).max(-1, initial=0.0)
    surer = inside(observed.boxes[rows], observed.boxes) * (np.arange(len(taken)) < rows[:, None])
    share = np.maximum(share, surer.max(-1))
    sure = (observed.box_scores[rows] >= options.inside_score) & ~observed.ambiguous[rows]
    return rows[(share <= _INSIDE) | (sure & ~_cut_off(observed.boxes[rows], observed.boxes))]


def _come_in(boxes: Array, inner: Array, others: Array) -> Mask:
    """Return (T, N) whether people who are leaving the image would come in again with each of the boxes.

    Args:
        boxes: (T, 4) predicted boxes.
        inner: (T, 4) those boxes, clipped to the image.
        others: (N, 4) measured boxes.
    """
    sides = np.tile(np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0), 2)  # (T, 4)
    leaving = np.abs(boxes - inner) >= _OUTSIDE * sides
    rows, entering = leaving.any(-1), np.zeros((len(boxes), len(others)), dtype=bool)
    inwards = (others - boxes[rows, None]) * np.array([-1, -1, 1, 1])  # (L, N, 4)
    opposite = np.roll(inwards, 2, axis=-1)  # of the edge that is outside, the one inside shows the motion
    entering[rows] = (leaving[rows, None] & (opposite >= _TURNED * sides[rows, None])).any(-1)
    return entering


def _cut_off(boxes: Array, others: Array) -> Mask:
    """Return which boxes (N, 4) share three edges with a larger one of (M, 4): parts of its person."""
    lengths = (others[:, 2:] - others[:, :2]).max(-1)  # (M,)
    same = np.abs(boxes[:, None] - others) <= _EDGE * lengths[:, None]  # (N, M, 4)
    larger = areas(others) > areas(boxes)[:, None]
    return np.asarray(((same.sum(-1) == 3) & larger).any(-1))
