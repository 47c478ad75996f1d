"""Offline refinement of a finished video's tracks: join tracklets, drop ghosts, smooth both ways, fill gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError
from ...models.geometry.keypoints import COCO, Skeleton
from ..types import STATES, Poses, State, Tracks
from . import kalman
from .config import TrackerConfig
from .kalman import Array, Points
from .state import BOX, lengths
from .tracklets import Tracklet, drop_ghosts, gather, join

_ONLINE = TrackerConfig()
_MEASURED, _INTERPOLATED = STATES.index(State.MEASURED), STATES.index(State.INTERPOLATED)
_PASSES = 5  # reweighting passes, after which outliers hardly affect the path
_CALM = 0.5  # seconds of random acceleration: a point at a lower speed than they give is calmer than the others
_CALMEST = 0.1  # minimum share of the agility that a point at rest keeps
_PIXEL = 1.0  # from the border of the image, within which an edge of a box is at it
_ONSET = 0.1  # seconds around the frames of a movement, so that its beginning and end stay sharp


@dataclass(frozen=True, slots=True)
class RefineConfig:
    """Options of `refine`. Sizes are square roots of box areas, as in `TrackerConfig`.

    Attributes:
        join_seconds: longest gap between two tracklets that are joined.
        join_margin: minimum lead in similarity, of 1, of a continuation over any other.
        ghost_seconds: minimum duration of a tracklet with a low mean score; a shorter one is a ghost.
        ghost_score: mean box score below which `ghost_seconds` applies.
        gap_seconds: longest gap that is interpolated.
        box_noise: standard deviation of the measured center and size of a box, in sizes.
        keypoint_noise: standard deviation of a measured keypoint with score 1, in sizes times its OKS sigma.
        box_agility: change of a box's velocity within a second, in sizes per second (standard deviation).
        keypoint_agility: the same for keypoints. A third of the online filter's value, because later frames show the
            changes of direction.
        outlier: distance from the path, in standard deviations, from which a measurement loses weight.
        keypoint_slack: distance of a keypoint's path from its measurement, in longer sides of the box, from which the
            keypoint counts as interpolated.
    """

    join_seconds: float = 3.0
    join_margin: float = 0.2
    ghost_seconds: float = 0.3
    ghost_score: float = 0.5
    gap_seconds: float = 1.0
    box_noise: float = _ONLINE.box_noise
    keypoint_noise: float = _ONLINE.keypoint_noise
    box_agility: float = 2.0  # high, so that the box turns as fast as its person: no prediction depends on it here
    keypoint_agility: float = 1.0
    outlier: float = 3.0
    keypoint_slack: float = 0.05


class _Refined(NamedTuple):
    """One refined person in R frames; velocities (R, 2), pixels per second."""

    identity: int
    frames: NDArray[np.int32]
    measured: NDArray[np.bool_]
    boxes: Array
    keypoints: Array
    scores: Array
    box_scores: Array
    velocities: Array
    keypoint_states: NDArray[np.uint8]


def refine(
    times: ArrayLike,
    tracks: Sequence[Tracks],
    *,
    skeleton: Skeleton = COCO,
    config: RefineConfig | None = None,
    size: tuple[int, int] | None = None,
) -> list[Tracks]:
    """Refine the tracks of a finished video, using past and future frames.

    Tracklets of one person in one scene are joined, and short tracks of low confidence are removed. Keypoints and boxes
    are smoothed by a robust Rauch-Tung-Striebel smoother. Short gaps are filled with the state `interpolated`; online
    predictions are dropped.

    Memory grows with the tracks, not with the video: an hour of five people at 30 fps takes about 0.65 GB, a third of
    it for the input tracks.

    Args:
        times: (F,) seconds of the frames.
        tracks: F frames of a `PoseTracker(smooth="none")`; smoothed tracks would be smoothed twice.
        skeleton: skeleton of their keypoints.
        config: options; the defaults if None.
        size: (height, width) of the image in pixels, at whose border boxes end; None if it is unknown or changes.

    Returns:
        F frames of tracks; joined tracklets have the ID of the first one.

    Raises:
        InputError: the numbers of times and tracks differ, or the times do not ascend.
    """
    times, config = np.asarray(times, dtype=np.float64), config or RefineConfig()
    if len(times) != len(tracks):
        raise InputError(f"There are {len(times)} times for {len(tracks)} frames of tracks; give one time per frame.")
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise InputError("The times are not finite and ascending. Give the seconds of the frames in their order.")
    tracklets = gather(tracks)
    if not tracklets:
        return [Tracks.empty(len(skeleton)) for _ in tracks]
    sigmas, scenes = np.asarray(skeleton.sigmas), np.cumsum([frame.new_scene for frame in tracks])
    tracklets = join(tracklets, times, scenes, sigmas=sigmas, within=config.join_seconds, margin=config.join_margin)
    tracklets = drop_ghosts(tracklets, times, min_seconds=config.ghost_seconds, min_score=config.ghost_score)
    people = []
    while tracklets:  # each is released after smoothing: memory holds the tracks twice, not three times
        people.append(_smoothed(tracklets.pop(), times, sigmas=sigmas, config=config, size=size))
    refined = _frames(people, count=len(times), names=skeleton.keypoints)
    return [replace(now, new_scene=frame.new_scene) for now, frame in zip(refined, tracks)]


def _smoothed(
    tracklet: Tracklet, times: Array, *, sigmas: Array, config: RefineConfig, size: tuple[int, int] | None
) -> _Refined:
    """Smooth one person and fill the gaps."""
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
    if size is not None:
        found = np.full(boxes.shape, np.nan)
        found[measured] = tracklet.boxes
        boxes = _within_image(boxes, found, size, frames=_onset(at))
    away = np.linalg.norm(points[:, BOX:] - smooth.positions[:, BOX:], axis=-1)  # (R, K)
    near = there & (away <= config.keypoint_slack * lengths(smooth.positions)[:, None])
    states = np.where(near, _MEASURED, _INTERPOLATED).astype(np.uint8)
    values: Any = (boxes, keypoints, np.where(filled, scores, 0.0), box_scores, smooth.velocities[:, 0])
    boxes, keypoints, scores, box_scores, velocities = (value.astype(np.float32) for value in values)
    return _Refined(tracklet.identity, frames, measured, boxes, keypoints, scores, box_scores, velocities, states)


def _near(seen: NDArray[np.bool_], at: Array, *, within: float) -> NDArray[np.bool_]:
    """Return a mask (R, P) of points that are measured, or lie in a gap of at most `within` seconds."""
    before = np.maximum.accumulate(np.where(seen, at[:, None], -np.inf), axis=0)
    after = np.minimum.accumulate(np.where(seen, at[:, None], np.inf)[::-1], axis=0)[::-1]
    return seen | (after - before <= within + 1e-9)


def _both_ways(points: Array, at: Array, *, noise: Array, agility: Array, outlier: float) -> Points:
    """Filter P points through R frames forwards and smooth them backwards; all in pixels and seconds.

    The weight of a measurement falls with its distance from the path of the previous pass (iteratively reweighted
    least squares, Holland and Welsch 1977), so that sides swapped for a few frames leave no trace. The agility falls
    with the speed of the previous pass, so that nothing trembles at rest.
    """
    density, variance = np.square(agility), np.square(noise)
    dts, doubt = _steps(at), np.ones(noise.shape)
    process, onset = kalman.process_noise(dts), _onset(at)
    for _ in range(_PASSES):
        path = Points.unknown(*noise.shape)
        kalman.filter_forward(tuple(path), points, variance * doubt, 2 * agility, dts, density, process)
        kalman.smooth(tuple(path), dts, density, process)
        away = np.linalg.norm(points - path.positions, axis=-1) / noise
        doubt = np.fmax(away / outlier, 1.0) ** 2  # 1 where nothing was measured
        speeds = _highest(np.linalg.norm(path.velocities, axis=-1), frames=onset)
        density = np.square(agility * np.clip(speeds / (_CALM * agility), _CALMEST, 1.0))
    return path


def _steps(at: Array) -> Array:
    return np.maximum(np.diff(at, prepend=at[0]), 1e-3)


def _onset(at: Array) -> int:
    """Return the frames of `_ONSET`."""
    return max(round(_ONSET / float(np.median(_steps(at)))), 1)


def _within_image(boxes: Array, measured: Array, size: tuple[int, int], *, frames: int) -> Array:
    """Return boxes (R, 4) of which those measured, not NaN, end at the border of the image.

    An edge keeps its measured place in the `frames` around those in which the border cuts it off: it stops there at
    once, while its smoothed path would be early and late, the more so the faster the camera pans.
    """
    border = np.array([0, 0, size[1], size[0]])
    at_border = _highest((np.abs(measured - border) <= _PIXEL).astype(float), frames=frames) > 0
    edges = np.where(at_border, measured, boxes).clip(0, np.tile(border[2:], 2))
    return np.where(np.isnan(measured), boxes, edges)


def _highest(values: Array, *, frames: int) -> Array:
    """Return the highest of the values (R, P) within `frames` frames before and after each."""
    padded = np.pad(values, ((frames, frames), (0, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1, axis=0).max(-1))


def _frames(people: list[_Refined], *, count: int, names: tuple[str, ...]) -> Iterator[Tracks]:
    """Yield the tracks of each frame, people in the order of their ids; empties the list."""
    if not people:
        yield from (Tracks.empty(len(names)) for _ in range(count))
        return
    ids = np.repeat([person.identity for person in people], [len(person.frames) for person in people])
    frames, measured, boxes, keypoints, scores, box_scores, velocities, of_keypoints = (
        np.concatenate(field) for field in zip(*(person[1:] for person in people))
    )
    people.clear()
    order = np.lexsort((ids, frames))
    bounds = np.searchsorted(frames[order], np.arange(count + 1))
    ids, measured, boxes, scores, of_keypoints = (
        ids[order],
        measured[order],
        boxes[order],
        scores[order],
        of_keypoints[order],
    )
    keypoints, box_scores, velocities = keypoints[order], box_scores[order], velocities[order]
    for start, end in pairwise(bounds):
        rows = slice(start, end)
        poses = Poses(boxes[rows], keypoints[rows], scores[rows], box_scores[rows])
        states = tuple(State.MEASURED if there else State.INTERPOLATED for there in measured[rows])
        yield Tracks(ids[rows], poses, velocities[rows], states, names=names, keypoint_states=of_keypoints[rows])
