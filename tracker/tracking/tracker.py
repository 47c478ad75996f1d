"""The pose tracker: poses of single frames in, people with ids through time out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from ...models.keypoints import COCO, Skeleton
from ..types import Poses, State, Tracks
from . import kalman
from .association import Rows, Stage, associate
from .kalman import Array
from .life import BOX, People
from .similarity import areas, distinct, overlap, reach
from .smoothing import LATENCIES, one_euro


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """How a `PoseTracker` decides. Times are in seconds, so that the frame rate does not matter.

    A person's size is the square root of the box's area, as in OKS.

    Attributes:
        high_score: box score from which a pose may begin a track.
        low_score: box score below which a pose is ignored; between the two it may only continue a track.
        duplicate: overlap of two poses in one frame from which the less sure one is dropped.
        gate: overlap of a track with a pose, the mean of IoU and OKS, from which they can be one person.
        low_gate: the same for poses below `high_score`.
        reach_gate: how likely, next to the expected place, the place must be where somebody comes back.
        place: standard deviation of the place of somebody who comes back where they were last seen, in sizes.
        min_hits: frames that must see a person before the track is shown; those of the first frame are shown at once.
        tentative_seconds: how long a track that was never shown waits for its next frame.
        predicted_seconds: how long people and keypoints that nobody sees are shown where they should be.
        lost_seconds: how long somebody who is not seen can come back with the same id.
        box_noise: standard deviation of a measured box's centre and size, in sizes.
        keypoint_noise: standard deviation of a measured keypoint with score 1, in sizes times its sigma.
        box_agility: how far the box's speed strays in a second, in sizes per second.
        scale_agility: the same of the box's width and height.
        keypoint_agility: the same of the keypoints.
        settle_seconds: how soon a keypoint that is not seen moves as the body does.
        smooth: what is shown of a keypoint: `none`, where it was measured; `kalman`, where its filter believes it to
            be; `one-euro`, that with what trembles at rest taken out.
        min_cutoff: Hz, of the One-Euro filter at rest.
        beta: Hz per (size per second), how fast its cutoff rises with the speed.
        rate_cutoff: Hz, its cutoff of the speed.
        rest_speed: sizes per second, what noise feigns.
    """

    high_score: float = 0.3
    low_score: float = 0.1  # ByteTrack's
    duplicate: float = 0.6
    gate: float = 0.2
    low_gate: float = 0.4
    reach_gate: float = 0.1
    place: float = 0.5
    min_hits: int = 2
    tentative_seconds: float = 0.1
    predicted_seconds: float = 0.3
    lost_seconds: float = 2.0
    box_noise: float = 0.04
    keypoint_noise: float = 0.3  # of an annotator's spread: a network repeats itself better than people agree
    box_agility: float = 0.5
    scale_agility: float = 0.1
    keypoint_agility: float = 3.0  # a walker's ankle
    settle_seconds: float = 0.1
    smooth: str = "one-euro"
    min_cutoff: float = 0.4  # these four: docs/decisions/0008-smoothing.md
    beta: float = 16.0
    rate_cutoff: float = 2.0
    rest_speed: float = 0.35


class PoseTracker:
    """Give the people of a video ids, and smooth their keypoints.

        tracker = PoseTracker()
        for time, poses in ...:
            tracks = tracker.update(poses, time)

    Args:
        skeleton: what the keypoints are.
        config: all options in one; those of `TrackerConfig` can be given by name too.
        **options: fields of `TrackerConfig` that differ from `config`.

    Raises:
        TypeError: an option does not exist.
        ValueError: `smooth` has no such choice.
    """

    _MIN_STEP = 1e-3  # seconds; stands in for a step when two frames bear the same time
    _UNKNOWN = 4.0  # seconds; a new point's speed is as uncertain as after straying for so long

    def __init__(self, *, skeleton: Skeleton = COCO, config: TrackerConfig | None = None, **options: Any) -> None:
        names = [field.name for field in fields(TrackerConfig)]
        for name in options:
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.0)[0]
                raise TypeError(f"PoseTracker has no option {name!r}. Did you mean {near!r}?")
        self.skeleton = skeleton
        self.config = replace(config or TrackerConfig(), **options)
        config = self.config
        if config.smooth not in LATENCIES:
            raise ValueError(f"smooth is {config.smooth!r}; give one of {', '.join(LATENCIES)}.")
        self._sigmas = np.asarray(skeleton.sigmas)
        agility = [config.box_agility, config.scale_agility] + [config.keypoint_agility] * len(skeleton)
        self._densities = np.square(agility)  # (2 + K,) squared sizes per cubed second
        self._speeds = np.sqrt(self._densities * self._UNKNOWN)  # (2 + K,) sizes per second
        self._next_id = 1
        self.reset()

    def reset(self) -> None:
        """Forget everybody, as before another video. Ids go on: none is ever used twice."""
        self._people = People.unknown(0, len(self.skeleton))
        self._time: float | None = None

    def update(self, poses: Poses, time: float) -> Tracks:
        """Take the poses of the next frame and return everybody who is known to be in it.

        The order of the poses does not matter. A frame that bears the same time as the one before counts as a
        millisecond later.

        Args:
            poses: N people of K keypoints.
            time: seconds, the frame's own timestamp.

        Returns:
            Who was seen, and for a short time who was not, in the order of the ids.

        Raises:
            ValueError: the time is before that of the last frame, or K is not the skeleton's.
        """
        first = self._time is None
        dt = self._step(time)
        poses = self._plausible(poses)
        self._predict(dt)
        measured = self._correct(poses, *self._match(poses))
        self._smooth(measured, dt)
        self._live(first=first)
        return self._shown()

    def _step(self, time: float) -> float:
        """Return the seconds since the last frame."""
        if not np.isfinite(time):
            raise ValueError(f"The time of a frame is {time}; give seconds.")
        last = time if self._time is None else self._time
        if time < last:
            raise ValueError(f"Time runs backwards, from {last} s to {time} s. Call reset() before another video.")
        self._time = float(time)
        return max(float(time) - last, self._MIN_STEP)

    def _plausible(self, poses: Poses) -> Poses:
        """Return the poses that can be people, each person once, in an order that the input's does not change."""
        if poses.keypoints.shape[1] != len(self.skeleton):
            given, expected = poses.keypoints.shape[1], f"{len(self.skeleton)} of the skeleton {self.skeleton.name!r}"
            raise ValueError(f"The poses have {given} keypoints, not the {expected}. Give PoseTracker their skeleton.")
        assert poses.box_scores is not None
        good = np.isfinite(poses.boxes).all(-1) & (areas(poses.boxes) > 0)
        poses = poses[good & (poses.box_scores >= self.config.low_score)]
        assert poses.box_scores is not None
        seen = np.isfinite(poses.keypoints).all(-1) & (poses.scores > 0)  # (N, K)
        keypoints, scores = np.where(seen[..., None], poses.keypoints, np.nan), np.where(seen, poses.scores, 0.0)
        order = np.lexsort((*keypoints[..., 0].T, *poses.boxes.T, -poses.box_scores))
        poses = Poses(poses.boxes, keypoints, scores, poses.box_scores)[order]
        limit = self.config.duplicate
        return poses[distinct(poses.boxes, poses.keypoints, poses.scores, sigmas=self._sigmas, limit=limit)]

    def _predict(self, dt: float) -> None:
        """Move everybody on to the time of this frame, and forget who has been away for too long."""
        people = self._people
        alive = people.unseen + dt <= self.config.lost_seconds
        if not alive.all():
            people = people.select(alive)
        target = np.repeat(people.points.velocities[:, :1], BOX + len(self.skeleton), axis=1)
        target[:, 1] = 0  # a box that is not seen stops growing
        settle = self.config.settle_seconds
        points = kalman.coast(people.points, unseen=people.ages > 0, target=target, dt=dt, settle=settle)
        density = people.sizes[:, None] ** 2 * self._densities  # (T, 2 + K)
        points = kalman.predict(points, dt=dt, density=density)
        self._people = people._replace(points=points, ages=people.ages + dt)

    def _match(self, poses: Poses) -> tuple[Rows, Rows, Rows]:
        """Return matched tracks, their poses, and the poses that begin a track."""
        people, config = self._people, self.config
        assert poses.box_scores is not None
        high = poses.box_scores >= config.high_score  # (N,)
        confirmed = people.ids > 0
        active = people.unseen <= config.predicted_seconds
        boxes = people.boxes, poses.boxes
        keypoints = people.points.positions[:, BOX:], poses.keypoints
        similarity = overlap(boxes, keypoints, (self._faded(), poses.scores), sigmas=self._sigmas)  # (T, N)
        spread = people.points.covariances[:, 0, 0] + (2 * config.box_noise * people.sizes) ** 2
        # Somebody who was away goes on as before, or comes out where they went in.
        place = np.where(active, 0.0, config.place * people.sizes) ** 2
        back = np.maximum(reach(boxes, spread), reach((people.places, poses.boxes), place))
        stages = (
            Stage(similarity, confirmed, high, config.gate),
            Stage(similarity, confirmed & active, ~high, config.low_gate),
            Stage(back, confirmed, high, config.reach_gate),
            Stage(similarity, ~confirmed, high, config.gate),
        )
        tracks, matched, _, left = associate(stages, len(people.ids), len(poses))
        return tracks, matched, left[high[left]]

    def _correct(self, poses: Poses, tracks: Rows, matched: Rows, births: Rows) -> Array:
        """Take in what this frame measured, and return its keypoints for every track (T, K, 2), NaN where missing."""
        people, config = self._people, self.config
        assert poses.box_scores is not None
        if len(births):
            tracks = np.concatenate([tracks, len(people.ids) + np.arange(len(births))])
            matched = np.concatenate([matched, births])
            people = people.join(People.unknown(len(births), len(self.skeleton)))
        low, high = poses.boxes[matched, :2], poses.boxes[matched, 2:]
        measured = np.full_like(people.points.positions, np.nan)  # (T, 2 + K, 2)
        measured[tracks, 0] = (low + high) / 2
        measured[tracks, 1] = high - low
        measured[tracks, BOX:] = poses.keypoints[matched]
        sizes = np.where(people.hits > 0, people.sizes, np.sqrt(measured[:, 1].prod(-1)))

        noise = np.ones(people.ages.shape)  # (T, 2 + K)
        noise[tracks, :BOX] = config.box_noise / poses.box_scores[matched, None]
        noise[tracks, BOX:] = config.keypoint_noise * self._sigmas / np.maximum(poses.scores[matched], 0.05)
        points = kalman.update(
            people.points,
            measured,
            noise=(noise * sizes[:, None]) ** 2,
            start=people.points.velocities[:, :1],
            speed=sizes[:, None] * self._speeds,
        )
        seen = ~np.isnan(measured[..., 0])  # (T, 2 + K)
        ages = np.where(seen, 0.0, people.ages)
        people.hits[tracks] += 1
        people.box_scores[tracks] = poses.box_scores[matched]
        people.scores[tracks] = np.where(seen[tracks, BOX:], poses.scores[matched], people.scores[tracks])
        people = people._replace(points=points, ages=ages)
        people.places[tracks] = people.boxes[tracks]
        self._people = people
        return measured[:, BOX:]

    def _live(self, *, first: bool) -> None:
        """Confirm who was seen often enough; forget tentative tracks that nobody saw again, and old keypoints."""
        people, config = self._people, self.config
        shown = (people.ids == 0) & (people.hits >= (1 if first else config.min_hits))
        people.ids[shown] = self._next_id + np.arange(shown.sum())
        self._next_id += int(shown.sum())
        alive = (people.ids > 0) | (people.unseen <= config.tentative_seconds)
        if not alive.all():
            self._people = people = people.select(alive)
        old = people.ages[:, BOX:] > config.predicted_seconds
        people.points.positions[:, BOX:][old] = np.nan
        people.smooth[old] = np.nan
        people.scores[old] = 0.0

    def _smooth(self, measured: Array, dt: float) -> None:
        """Decide where the keypoints are shown."""
        people, config = self._people, self.config
        positions, velocities = people.points.positions[:, BOX:], people.points.velocities[:, BOX:]
        if config.smooth == "none":
            smooth, rates = np.where(np.isnan(measured), positions, measured), people.rates
        elif config.smooth == "kalman":
            smooth, rates = positions.copy(), people.rates
        else:
            smooth, rates = one_euro(
                positions,
                velocities,
                people.smooth,
                people.rates,
                dt=dt,
                sizes=people.sizes,
                min_cutoff=config.min_cutoff,
                beta=config.beta,
                rate_cutoff=config.rate_cutoff,
                rest_speed=config.rest_speed,
            )
        self._people = people._replace(smooth=smooth, rates=rates)

    def _faded(self) -> Array:
        """Return the keypoints' scores (T, K), less by the time that they were not seen."""
        left = 1 - self._people.ages[:, BOX:] / max(self.config.predicted_seconds, self._MIN_STEP)
        return self._people.scores * np.maximum(left, 0.0)

    def _shown(self) -> Tracks:
        """Return everybody who has an id and was seen lately."""
        people = self._people
        rows = np.flatnonzero((people.ids > 0) & (people.unseen <= self.config.predicted_seconds))
        rows = rows[np.argsort(people.ids[rows])]
        fading = 1 - people.unseen[rows] / max(self.config.predicted_seconds, self._MIN_STEP)
        poses = Poses(people.boxes[rows], people.smooth[rows], self._faded()[rows], people.box_scores[rows] * fading)
        states = tuple(State.MEASURED if unseen == 0 else State.PREDICTED for unseen in people.unseen[rows])
        return Tracks(people.ids[rows], poses, people.points.velocities[rows, 0], states)
