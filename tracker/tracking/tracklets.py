"""Tracklets: gathered from frames, joined across gaps, dropped if they are ghosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.keypoints import paired_oks
from ..types import State, Tracks
from .association import assign

Array = NDArray[np.floating]

_ENDS = 0.5  # seconds at each end of a tracklet from which position and velocity are computed


class Tracklet(NamedTuple):
    """The measurements of one person in R frames.

    Attributes:
        identity: id of the person.
        frames: (R,) frame indices, ascending.
        boxes: (R, 4) xyxy pixels.
        keypoints: (R, K, 2) pixels; NaN where missing.
        scores: (R, K); 0 where missing.
        box_scores: (R,).
    """

    identity: int
    frames: NDArray[np.int32]
    boxes: Array
    keypoints: Array
    scores: Array
    box_scores: Array


def gather(tracks: Sequence[Tracks]) -> list[Tracklet]:
    """Collect the measurements of each id into tracklets, without predictions.

    Args:
        tracks: tracks of each frame.

    Returns:
        Tracklets in the order of their ids.
    """
    rows = [np.array([state is State.MEASURED for state in frame.states], dtype=bool) for frame in tracks]
    counts = [int(measured.sum()) for measured in rows]
    if not sum(counts):
        return []
    ids = np.concatenate([frame.ids[measured] for frame, measured in zip(tracks, rows)])
    frames = np.repeat(np.arange(len(tracks), dtype=np.int32), counts)
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=0))
    fields = [
        np.concatenate([getattr(frame.poses, name)[measured] for frame, measured in zip(tracks, rows)])
        for name in ("boxes", "keypoints", "scores", "box_scores")
    ]
    return [
        Tracklet(int(ids[part[0]]), frames[part], *(field[part] for field in fields))
        for part in np.split(order, starts[1:])
    ]


class _End(NamedTuple):
    """One end of a tracklet: time, centre (2,), velocity (2,), size, keypoints (K, 2) and scores (K,)."""

    time: float
    centre: Array
    velocity: Array
    size: float
    keypoints: Array
    scores: Array


def _end(tracklet: Tracklet, times: Array, *, last: bool) -> _End:
    at = times[tracklet.frames]
    row = len(at) - 1 if last else 0
    near = np.abs(at - at[row]) <= _ENDS
    boxes = tracklet.boxes[near].astype(np.float64)
    centres, moments = (boxes[:, :2] + boxes[:, 2:]) / 2, at[near] - at[row]
    centre, velocity = centres.mean(0), np.zeros(2)
    if np.ptp(moments) > _ENDS / 2:  # a line through the centers; a shorter span gives no reliable velocity
        velocity, centre = np.polyfit(moments, centres, 1)
    size = float(np.median(np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(-1))))
    return _End(float(at[row]), centre, velocity, size, tracklet.keypoints[row], tracklet.scores[row])


def _similarity(before: _End, after: _End, sigmas: Array, *, within: float) -> float:
    """Return in [0, 1] how well the start of one tracklet continues the end of another."""
    gap = after.time - before.time
    ratio = min(before.size, after.size) / max(before.size, after.size)
    if not 0 < gap <= within or ratio < 0.75:
        return 0.0
    size = (before.size + after.size) / 2
    step = after.centre - before.centre
    errors = [np.linalg.norm(step - end.velocity * gap) / size for end in (before, after)]
    reach = 0.4 + 0.4 * gap  # tolerance in sizes, because people change speed and direction
    place = 1 - max(errors) / reach
    weights = before.scores * after.scores
    shape = paired_oks(
        (before.keypoints - before.centre)[None],
        (after.keypoints - after.centre)[None],
        np.array([size**2]),
        sigmas=sigmas,
        weights=weights[None],
    )[0]
    return max(float(place), 0.0) if shape >= 0.2 or weights.mean() < 0.1 else 0.0


def join(
    tracklets: Sequence[Tracklet],
    times: Array,
    scenes: NDArray[np.integer],
    *,
    sigmas: Array,
    within: float,
    margin: float,
) -> list[Tracklet]:
    """Join tracklets of the same person, by hierarchical association (Huang, Wu and Nevatia 2008).

    A tracklet continues another one if position, size and pose agree with the motion of both. Ambiguous pairs stay
    separate: two ids for one person do less harm than one id for two people.

    Args:
        tracklets: M tracklets.
        times: (F,) seconds of the video's frames.
        scenes: (F,) scene number of each frame; tracklets are never joined across scenes.
        sigmas: (K,) OKS sigmas.
        within: longest gap in seconds.
        margin: minimum lead in similarity of a continuation over any other.

    Returns:
        At most M tracklets; joined ones have the id of the first.
    """
    ends = [_end(tracklet, times, last=True) for tracklet in tracklets]
    starts = [_end(tracklet, times, last=False) for tracklet in tracklets]
    began = np.array([start.time for start in starts])
    scene = scenes[[tracklet.frames[0] for tracklet in tracklets]]
    similarity = np.zeros((len(tracklets), len(tracklets)))
    for i, end in enumerate(ends):
        for j in np.flatnonzero((began > end.time) & (began <= end.time + within) & (scene == scene[i])):
            similarity[i, j] = _similarity(end, starts[j], sigmas, within=within)
    following = {}
    match = assign(similarity, 1e-9)
    for i, j in enumerate(match.tolist()):
        if j < 0:
            continue
        others = np.concatenate([np.delete(similarity[i], j), np.delete(similarity[:, j], i)])
        if similarity[i, j] >= others.max(initial=0.0) + margin:
            following[i] = j
    whole = []
    for first in sorted(set(range(len(tracklets))) - set(following.values())):
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        parts = [tracklets[i] for i in chain]
        fields = zip(*(part[1:] for part in parts))
        whole.append(Tracklet(parts[0].identity, *(np.concatenate(field) for field in fields)))
    return whole


def drop_ghosts(tracklets: Sequence[Tracklet], times: Array, *, min_seconds: float, min_score: float) -> list[Tracklet]:
    """Drop tracklets shorter than `min_seconds` with a mean box score below `min_score`."""
    if times[-1] - times[0] < min_seconds:  # a single image, for example
        return list(tracklets)
    return [
        tracklet
        for tracklet in tracklets
        if times[tracklet.frames[-1]] - times[tracklet.frames[0]] >= min_seconds
        or tracklet.box_scores.mean() >= min_score
    ]
