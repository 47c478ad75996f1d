"""Tracks of a whole video, seen from its end: joined, freed of ghosts, smoothed both ways, their gaps closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...models.keypoints import COCO, Skeleton
from ..types import Poses, State, Tracks
from . import kalman
from .config import TrackerConfig
from .kalman import Array, Points
from .life import BOX
from .tracklets import Tracklet, drop_ghosts, gather, join

_ONLINE = TrackerConfig()
_PASSES = 5  # what is far from the path draws it along at first; after that many, hardly


@dataclass(frozen=True, slots=True)
class RefineConfig:
    """How `refine` decides. Sizes are square roots of box areas, as in `TrackerConfig`.

    Attributes:
        join_seconds: how long somebody may be away between two tracklets that are joined.
        join_margin: by how much, of 1, a continuation must be more similar than any other.
        ghost_seconds: who was there for less, with a low score, was not there.
        ghost_score: mean box score below which that holds.
        gap_seconds: longest gap that is interpolated.
        box_noise: standard deviation of a measured box's centre and size, in sizes.
        keypoint_noise: standard deviation of a measured keypoint with score 1, in sizes times its sigma.
        box_agility: how far the box's speed strays in a second, in sizes per second.
        keypoint_agility: the same of the keypoints. A third of the online filter's: what comes after tells the turns.
        outlier: standard deviations from the path, from which a measurement is believed less and less.
    """

    join_seconds: float = 3.0
    join_margin: float = 0.2
    ghost_seconds: float = 0.3
    ghost_score: float = 0.5
    gap_seconds: float = 1.0
    box_noise: float = _ONLINE.box_noise
    keypoint_noise: float = _ONLINE.keypoint_noise
    box_agility: float = 2.0  # so that it turns as fast as its person: nothing is to be predicted from it here
    keypoint_agility: float = 1.0
    outlier: float = 3.0


class _Refined(NamedTuple):
    """One person in R frames, as it will be shown; velocities (R, 2)."""

    identity: int
    frames: NDArray[np.int32]
    measured: NDArray[np.bool_]
    boxes: Array
    keypoints: Array
    scores: Array
    box_scores: Array
    velocities: Array


def refine(
    times: ArrayLike, tracks: Sequence[Tracks], *, skeleton: Skeleton = COCO, config: RefineConfig | None = None
) -> list[Tracks]:
    """Look at a finished video's tracks again, each moment in the light of what came after it.

    Tracklets of one person in one scene are joined, ghosts are left out, keypoints and boxes are smoothed by the
    Rauch-Tung-Striebel smoother, which outliers do not mislead, and short gaps are filled with the state
    `interpolated`; predictions are left out.

    Memory is bounded by the tracks, not the video: an hour of five people at 30 fps takes about 0.65 GB, a third of
    it the tracks that are handed in.

    Args:
        times: (F,) seconds of the frames.
        tracks: F, of a `PoseTracker(smooth="none")`; already smoothed ones would be smoothed twice.
        skeleton: of their keypoints.
        config: all options.

    Returns:
        F, in which ids are those of the beginnings of what was joined.

    Raises:
        ValueError: there are not as many times as tracks.
    """
    times, config = np.asarray(times, dtype=np.float64), config or RefineConfig()
    if len(times) != len(tracks):
        raise ValueError(f"There are {len(times)} times for {len(tracks)} frames of tracks; give one for each.")
    tracklets = gather(tracks)
    if not tracklets:
        return [Tracks.empty(len(skeleton)) for _ in tracks]
    sigmas, scenes = np.asarray(skeleton.sigmas), np.cumsum([frame.new_scene for frame in tracks])
    tracklets = join(tracklets, times, scenes, sigmas=sigmas, within=config.join_seconds, margin=config.join_margin)
    tracklets = drop_ghosts(tracklets, times, min_seconds=config.ghost_seconds, min_score=config.ghost_score)
    people = []
    while tracklets:  # each is forgotten when it is smoothed: memory holds the tracks twice, not three times
        people.append(_smoothed(tracklets.pop(), times, sigmas=sigmas, config=config))
    refined = _frames(people, count=len(times), names=skeleton.keypoints)
    return [replace(now, new_scene=frame.new_scene) for now, frame in zip(refined, tracks)]


def _smoothed(tracklet: Tracklet, times: Array, *, sigmas: Array, config: RefineConfig) -> _Refined:
    """Smooth one person, and fill the gaps."""
    span = np.arange(tracklet.frames[0], tracklet.frames[-1] + 1, dtype=np.int32)
    seen = np.isin(span, tracklet.frames)
    shown = _near(seen[:, None], times[span], within=config.gap_seconds)[:, 0]
    frames, measured = span[shown], seen[shown]  # (R,)
    at, known = times[frames], times[tracklet.frames]

    low, high = tracklet.boxes[:, :2], tracklet.boxes[:, 2:]
    points = np.full((len(frames), BOX + len(sigmas), 2), np.nan)
    points[measured, 0], points[measured, 1], points[measured, BOX:] = (low + high) / 2, high - low, tracklet.keypoints
    sizes = np.interp(at, known, np.sqrt((high - low).prod(-1)))  # (R,)
    box_scores = np.interp(at, known, tracklet.box_scores)
    there = np.isfinite(points[:, BOX:, 0])  # (R, K)
    scores = np.zeros(there.shape)
    scores[measured] = tracklet.scores
    for k in np.flatnonzero(there.any(0)):
        scores[:, k] = np.interp(at, at[there[:, k]], scores[there[:, k], k])

    noise = np.empty(points.shape[:2])
    noise[:, :BOX] = config.box_noise / np.maximum(box_scores, 0.05)[:, None]
    noise[:, BOX:] = config.keypoint_noise * sigmas / np.maximum(scores, 0.05)
    agility = np.array([config.box_agility] * BOX + [config.keypoint_agility] * len(sigmas))
    noise, agility = noise * sizes[:, None], agility * sizes[:, None]
    smooth = _both_ways(points, at, noise=noise, agility=agility, outlier=config.outlier)

    filled = _near(there, at, within=config.gap_seconds)
    keypoints = np.where(filled[..., None], smooth.positions[:, BOX:], np.nan)
    centre, half = smooth.positions[:, 0], np.maximum(smooth.positions[:, 1], 1.0) / 2
    boxes = np.concatenate([centre - half, centre + half], axis=-1)
    values: Any = (boxes, keypoints, np.where(filled, scores, 0.0), box_scores, smooth.velocities[:, 0])
    return _Refined(tracklet.identity, frames, measured, *(value.astype(np.float32) for value in values))


def _near(seen: NDArray[np.bool_], at: Array, *, within: float) -> NDArray[np.bool_]:
    """Return where (R, P) a point is seen, or was and will be with no more than `within` seconds between."""
    before = np.maximum.accumulate(np.where(seen, at[:, None], -np.inf), axis=0)
    after = np.minimum.accumulate(np.where(seen, at[:, None], np.inf)[::-1], axis=0)[::-1]
    return seen | (after - before <= within + 1e-9)


def _both_ways(points: Array, at: Array, *, noise: Array, agility: Array, outlier: float) -> Points:
    """Filter R moments of P points forwards and smooth them backwards; all in pixels and seconds.

    A measurement counts the less, the farther it was from the path of the pass before (iteratively reweighted least
    squares, Holland and Welsch 1977): sides that are taken for one another for some frames leave no trace.
    """
    density, variance = np.square(agility), np.square(noise)
    dts, doubt = np.maximum(np.diff(at, prepend=at[0]), 1e-3), np.ones(noise.shape)
    for _ in range(_PASSES):
        path = Points.unknown(*noise.shape)
        kalman.follow(tuple(path), points, variance * doubt, 2 * agility, dts, density)
        kalman.smooth(tuple(path), dts, density)
        away = np.linalg.norm(points - path.positions, axis=-1) / noise
        doubt = np.fmax(away / outlier, 1.0) ** 2  # 1 where nothing was measured
    return path


def _frames(people: list[_Refined], *, count: int, names: tuple[str, ...]) -> Iterator[Tracks]:
    """Deal people out to frames, in the order of their ids; the list is emptied."""
    if not people:
        yield from (Tracks.empty(len(names)) for _ in range(count))
        return
    ids = np.repeat([person.identity for person in people], [len(person.frames) for person in people])
    frames, measured, boxes, keypoints, scores, box_scores, velocities = (
        np.concatenate(field) for field in zip(*(person[1:] for person in people))
    )
    people.clear()
    order = np.lexsort((ids, frames))
    bounds = np.searchsorted(frames[order], np.arange(count + 1))
    ids, measured, boxes, scores = ids[order], measured[order], boxes[order], scores[order]
    keypoints, box_scores, velocities = keypoints[order], box_scores[order], velocities[order]
    for start, end in pairwise(bounds):
        rows = slice(start, end)
        poses = Poses(boxes[rows], keypoints[rows], scores[rows], box_scores[rows])
        states = tuple(State.MEASURED if there else State.INTERPOLATED for there in measured[rows])
        yield Tracks(ids[rows], poses, velocities[rows], states, names=names)
