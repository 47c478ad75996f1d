"""The pose tracker: poses of single frames in, people with ids through time out."""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from ...models.keypoints import COCO, Skeleton
from ..types import Poses, State, Tracks
from . import kalman
from .appearance import learn, likeness
from .association import Rows, Stage, associate
from .config import TrackerConfig
from .duplicates import Mask, distinct
from .expectation import expected
from .kalman import Array
from .life import BOX, People
from .occlusion import complete, uncovered
from .similarity import areas, inside, overlap, reach
from .smoothing import LATENCIES, one_euro


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
    _ESTRANGED = 0.4  # how much less alike than a stranger somebody who comes back cannot be
    _INSIDE = 0.75  # share of a box that lies in somebody's, from which it may be a part of them
    _RECENT = 0.5  # seconds unseen, until which parts of somebody may turn up
    _IN_VIEW = 0.3  # share of a person that must be in the picture for them to be shown
    _FRESH = 0.8  # of a shown box is this frame's: the filter's lags, and boxes need not be calm as keypoints do

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
        self._idle = 0.0  # seconds since somebody looked

    def update(
        self, poses: Poses, time: float, *, size: tuple[int, int] | None = None, motion: Array | None = None
    ) -> Tracks:
        """Take the poses of the next frame and return everybody who is known to be in it.

        The order of the poses does not matter. A frame that bears the same time as the one before counts as a
        millisecond later.

        Args:
            poses: N people of K keypoints; their `features` help to know people again.
            time: seconds, the frame's own timestamp.
            size: (height, width) of the picture, at whose border people end; unbounded when left out.
            motion: (2, 3) affine matrix that brings points of the last frame to this one, where the camera moves.

        Returns:
            Who was seen, and for a short time who was not, in the order of the ids.

        Raises:
            ValueError: the time is before that of the last frame, or K is not the skeleton's.
        """
        first = self._time is None
        poses, doubtful = self._plausible(poses)
        dt = self._advance(time, size, motion)
        free = uncovered(poses.boxes)
        measured = self._correct(poses, free, dt, *self._match(poses, doubtful, free))
        self._smooth(measured, dt)
        self._live(first=first)
        self._idle = 0.0
        return self._shown()

    def predict(self, time: float, *, size: tuple[int, int] | None = None, motion: Array | None = None) -> Tracks:
        """Go on to the next frame without looking at it, and return where everybody should be.

        Unlike `update` without poses it holds nobody for unseen: who was seen last moves on as they did.

        Args:
            time: seconds, the frame's own timestamp.
            size: as of `update`.
            motion: as of `update`.

        Raises:
            ValueError: the time is before that of the last frame.
        """
        dt = self._advance(time, size, motion)
        self._idle += dt
        self._smooth(np.full_like(self._people.smooth, np.nan), dt)
        self._live(first=False)
        return self._shown()

    def expect(self, time: float, *, motion: Array | None = None) -> Tracks:
        """Return where those who have an id and were seen lately should be at a time, and stay at the last frame.

        Args:
            time: seconds.
            motion: as of `update`.

        Returns:
            As of `expectation.expected`.
        """
        dt = 0.0 if self._time is None else max(time - self._time, 0.0)
        people = self._people.select((self._people.ids > 0) & (self._people.unseen <= self.config.predicted_seconds))
        return expected(people, dt, motion=motion, idle=self._idle)

    @property
    def doubting(self) -> bool:
        """Whether somebody was seen who has no id yet."""
        return bool((self._people.ids == 0).any())

    def _advance(self, time: float, size: tuple[int, int] | None, motion: Array | None) -> float:
        """Move everybody to the time and the view of the next frame, and return the seconds that this takes."""
        dt = self._step(time)
        self._border = np.array([np.inf, np.inf] if size is None else size[::-1], dtype=np.float64)  # (x, y)
        if motion is not None and (motion != np.eye(2, 3)).any():
            self._people = self._people.moved(motion)
        self._predict(dt)
        return dt

    def _step(self, time: float) -> float:
        """Return the seconds since the last frame."""
        if not np.isfinite(time):
            raise ValueError(f"The time of a frame is {time}; give seconds.")
        last = time if self._time is None else self._time
        if time < last:
            raise ValueError(f"Time runs backwards, from {last} s to {time} s. Call reset() before another video.")
        self._time = float(time)
        return max(float(time) - last, self._MIN_STEP)

    def _plausible(self, poses: Poses) -> tuple[Poses, Mask]:
        """Return the poses that can be people, each once, in an order of their own, and which of them are doubtful."""
        if poses.keypoints.shape[1] != len(self.skeleton):
            given, expected = poses.keypoints.shape[1], f"{len(self.skeleton)} of the skeleton {self.skeleton.name!r}"
            raise ValueError(f"The poses have {given} keypoints, not the {expected}. Give PoseTracker their skeleton.")
        good = np.isfinite(poses.boxes).all(-1) & (areas(poses.boxes) > 0) & (poses.box_scores >= self.config.low_score)
        order = np.lexsort((*poses.keypoints[..., 0].T, *poses.boxes.T, -poses.box_scores))
        poses = poses[order[good[order]]]
        seen = np.isfinite(poses.keypoints).all(-1) & (poses.scores > 0)  # (N, K)
        keypoints, scores = np.where(seen[..., None], poses.keypoints, np.nan), np.where(seen, poses.scores, 0.0)
        people = poses.boxes, keypoints, scores, poses.box_scores
        rows, doubtful = distinct(*people, sigmas=self._sigmas, limit=self.config.duplicate)
        return Poses(*people, poses.features)[rows], doubtful

    def _predict(self, dt: float) -> None:
        """Move everybody on to the time of this frame, and forget who has been away for too long."""
        people, config = self._people, self.config
        alive = people.unseen + dt <= config.lost_seconds
        if not alive.all():
            people = people.select(alive)
        away = np.where(people.unseen > self._idle, np.exp(-dt / config.lost_settle_seconds), 1.0)
        people.points.velocities[:, 0] *= away[:, None]
        body = people.points.velocities[:, :1]
        points = kalman.coast(
            people.points, unseen=people.ages > self._idle, target=body, dt=dt, settle=config.settle_seconds
        )
        points = kalman.wander(points, 1, variance=(config.scale_agility * people.sizes) ** 2 / dt)
        density = people.sizes[:, None] ** 2 * self._densities  # (T, 2 + K)
        points = kalman.predict(points, dt=dt, density=density)
        self._people = people._replace(points=points, ages=people.ages + dt)

    def _match(self, poses: Poses, doubtful: Mask, free: Array) -> tuple[Rows, Rows, Rows]:
        """Return matched tracks, their poses, and the poses that begin a track."""
        people, config = self._people, self.config
        high = poses.box_scores >= config.high_score  # (N,)
        confirmed = people.ids > 0
        active = people.unseen <= config.predicted_seconds
        boxes = self._in_view(people.boxes), poses.boxes
        keypoints = people.points.positions[:, BOX:], poses.keypoints
        scores = self._faded(), np.where(doubtful[:, None], 0.0, poses.scores)
        similarity = overlap(boxes, keypoints, scores, sigmas=self._sigmas, part=config.part)  # (T, N)
        spread = people.points.covariances[:, 0, 0] + (2 * config.box_noise * people.sizes) ** 2
        # Somebody who was away goes on as before, or comes out where they went in; who left the picture does not.
        hidden = ~active & (areas(boxes[0]) > self._IN_VIEW * areas(people.boxes))
        place = np.where(hidden, config.place * people.sizes, 0.0) ** 2
        back = np.maximum(reach((people.boxes, poses.boxes), spread), reach((people.places, poses.boxes), place))
        if poses.features.shape[1] == people.looks.shape[1] > 0:
            alike = likeness(people.looks, poses.features, free)
            known_again = np.clip(1 + alike / self._ESTRANGED, 0, 1)
            back *= known_again
            similarity = np.where(similarity > 0, np.clip(similarity + config.likeness * alike, 0, 1), 0.0)
            similarity *= np.where(active[:, None], 1.0, known_again)
        stages = (
            Stage(similarity, confirmed, high, config.gate),
            Stage(similarity, confirmed & active, ~high, config.low_gate),
            Stage(back, confirmed, high, config.reach_gate),
            Stage(similarity, ~confirmed, high, config.gate),
        )
        tracks, matched, _, left = associate(stages, len(people.ids), len(poses))
        left = left[high[left]]
        if len(left):
            known = inside(poses.boxes[left], boxes[0][confirmed & (people.unseen <= self._RECENT)])
            surer = inside(poses.boxes[left], poses.boxes) * (np.arange(len(poses)) < left[:, None])
            part = np.maximum(known.max(-1, initial=0.0), surer.max(-1)) > self._INSIDE
            left = left[~part | (poses.box_scores[left] >= config.inside_score)]
        return tracks, matched, left

    def _correct(self, poses: Poses, free: Array, dt: float, tracks: Rows, matched: Rows, births: Rows) -> Array:
        """Take in what this frame measured, and return its keypoints for every track (T, K, 2), NaN where missing."""
        people, config = self._people, self.config
        if people.looks.shape[1] != poses.features.shape[1] and len(poses):
            people = people._replace(looks=np.zeros((len(people.ids), poses.features.shape[1])))
        if len(births):
            tracks = np.concatenate([tracks, len(people.ids) + np.arange(len(births))])
            matched = np.concatenate([matched, births])
            people = people.join(People.unknown(len(births), len(self.skeleton), people.looks.shape[1]))
        boxes, part = poses.boxes[matched].astype(np.float64), np.zeros((len(matched), 2), dtype=bool)
        known = people.hits[tracks] >= config.min_hits
        expected, keep = people.boxes[tracks[known]], float(np.exp(-dt / config.part_seconds))
        boxes[known], part[known] = complete(boxes[known], expected, tolerance=config.tolerance, keep=keep)
        measured = np.full_like(people.points.positions, np.nan)  # (T, 2 + K, 2)
        measured[tracks, 0] = (boxes[:, :2] + boxes[:, 2:]) / 2
        measured[tracks, 1] = boxes[:, 2:] - boxes[:, :2]
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
        people.hits[tracks] += 1
        people.box_scores[tracks] = poses.box_scores[matched]
        people.scores[tracks] = np.where(seen[tracks, BOX:], poses.scores[matched], people.scores[tracks])
        if people.looks.shape[1] and len(matched):
            clear = np.where(part.any(-1), 0.0, free[matched])
            people.looks[tracks] = learn(people.looks[tracks], poses.features[matched], clear)
        self._people = people = people._replace(points=points, ages=np.where(seen, 0.0, people.ages))
        people.places[tracks] = people.boxes[tracks] + self._FRESH * (boxes - people.boxes[tracks])
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
            smooth, rates = np.where((people.unseen > 0)[:, None, None], positions, measured), people.rates
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

    def _in_view(self, boxes: Array) -> Array:
        """Return the part of the boxes (T, 4) that is in the picture."""
        return np.clip(boxes, 0, np.tile(self._border, 2)) if np.isfinite(self._border[0]) else boxes

    def _shown(self) -> Tracks:
        """Return everybody who has an id and was seen lately."""
        people = self._people
        boxes = np.where(people.unseen[:, None] == 0, people.places, people.boxes)
        inner = self._in_view(boxes)
        here = (people.unseen <= self.config.predicted_seconds) & (areas(inner) > self._IN_VIEW * areas(boxes))
        rows = np.flatnonzero((people.ids > 0) & (here | (people.unseen == 0)))
        rows = rows[np.argsort(people.ids[rows])]
        fading = 1 - people.unseen[rows] / max(self.config.predicted_seconds, self._MIN_STEP)
        scores = np.where(np.isnan(people.smooth[rows, :, 0]), 0.0, self._faded()[rows])
        poses = Poses(inner[rows], people.smooth[rows], scores, people.box_scores[rows] * fading)
        states = tuple(State.MEASURED if unseen == 0 else State.PREDICTED for unseen in people.unseen[rows])
        return Tracks(people.ids[rows], poses, people.points.velocities[rows, 0], states)
