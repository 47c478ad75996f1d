"""The pose tracker: poses of single frames in, people with ids through time out."""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from math import inf, isfinite
from typing import Any

import numpy as np

from ...errors import InputError
from ...models.geometry.keypoints import COCO, Skeleton
from ..types import Poses, State, Tracks
from .compiled import announce
from .config import LATENCIES, TrackerConfig
from .expectation import expected
from .kalman import Array
from .life import People
from .step import follow, look, take_in

_STATES = State.PREDICTED, State.MEASURED


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

    def __init__(self, *, skeleton: Skeleton = COCO, config: TrackerConfig | None = None, **options: Any) -> None:
        names = [field.name for field in fields(TrackerConfig)]
        for name in options:
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.0)[0]
                raise TypeError(f"PoseTracker has no option {name!r}. Did you mean {near!r}?")
        self.skeleton = skeleton
        self.config = replace(config or TrackerConfig(), **options)
        if self.config.smooth not in LATENCIES:
            raise ValueError(f"smooth is {self.config.smooth!r}; give one of {', '.join(LATENCIES)}.")
        self._sigmas = np.array(skeleton.sigmas, dtype=np.float64)
        self.reset()

    def reset(self) -> None:
        """Begin another video: forget everybody, and count ids from 1 again."""
        self._next_id = 1
        self.cut()

    def cut(self) -> None:
        """Forget everybody, as at a hard cut within a video: ids go on, so that none is used twice."""
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
            InputError: the time is before that of the last frame, or K is not the skeleton's.
        """
        if poses.keypoints.shape[:2] == (0, 0):  # empty lists, whose shapes say nothing
            poses = Poses.empty(len(self.skeleton))
        if poses.keypoints.shape[1] != len(self.skeleton):
            given, expected = poses.keypoints.shape[1], f"{len(self.skeleton)} of the skeleton {self.skeleton.name!r}"
            raise InputError(f"The poses have {given} keypoints, not the {expected}. Give PoseTracker their skeleton.")
        credit = self.config.high_score if self._time is None else self.config.credit
        tracks = self._go_on(poses, time, size, motion, looked=True, credit=credit)
        self._idle = 0.0
        return tracks

    def predict(self, time: float, *, size: tuple[int, int] | None = None, motion: Array | None = None) -> Tracks:
        """Go on to the next frame without looking at it, and return where everybody should be.

        Unlike `update` without poses it holds nobody for unseen: who was seen last moves on as they did.

        Args:
            time: seconds, the frame's own timestamp.
            size: as of `update`.
            motion: as of `update`.

        Raises:
            InputError: the time is before that of the last frame.
        """
        last = self._time
        nobody = Poses.empty(len(self.skeleton))
        tracks = self._go_on(nobody, time, size, motion, looked=False, credit=self.config.credit)
        self._idle += self._MIN_STEP if last is None else max(time - last, self._MIN_STEP)
        return tracks

    def expect(self, time: float, *, motion: Array | None = None) -> Tracks:
        """Return where those who have an id and were seen lately should be at a time, and stay at the last frame.

        Args:
            time: seconds.
            motion: as of `update`.

        Returns:
            As of `expectation.expected`.
        """
        dt = 0.0 if self._time is None else max(time - self._time, 0.0)
        known = (self._people.ids > 0) & (self._people.ages[:, 0] <= self.config.predicted_seconds)
        return expected(self._people.select(known), dt, motion=motion, idle=self._idle)

    @property
    def doubting(self) -> bool:
        """Whether somebody was seen who has no id yet."""
        return bool((self._people.ids == 0).any())

    @property
    def remembered(self) -> int:
        """How many people are remembered, those who were not seen for a while and those without an id among them."""
        return len(self._people.ids)

    def _go_on(
        self,
        poses: Poses,
        time: float,
        size: tuple[int, int] | None,
        motion: Array | None,
        *,
        looked: bool,
        credit: float,
    ) -> Tracks:
        """Take in one frame, looked at or not; an id needs such a sum of box scores."""
        new_scene, dt = self._time is None, self._step(time)
        height, width = (inf, inf) if size is None else map(float, size)
        people, sigmas, options = self._people, self._sigmas, self.config
        if motion is not None and (motion != np.eye(2, 3)).any():
            people = people.moved(motion)
        seen, doubtful, free = look(poses, sigmas, options)
        if people.looks.shape[1] != seen.looks.shape[1] and len(free):
            people = people._replace(looks=np.zeros((len(people.ids), seen.looks.shape[1])))
        match, births = follow(people, seen, doubtful, free, dt, self._idle, width, height, sigmas, options)
        if len(births):
            people = people.join(People.unknown(len(births), len(self.skeleton), people.looks.shape[1]))
            match = np.concatenate([match, births])
        self._next_id, alive, shown = take_in(
            people, seen, match, looked, free, dt, width, height, sigmas, options, self._next_id, credit
        )
        self._people = people if alive.all() else people.select(alive)
        states = tuple([_STATES[measured] for measured in shown.measured.tolist()])
        poses, names = Poses(*shown[1:5]), self.skeleton.keypoints
        return Tracks(shown.ids, poses, shown.velocities, states, new_scene=new_scene, names=names)

    def _step(self, time: float) -> float:
        """Return the seconds since the last frame."""
        if not isfinite(time):
            raise InputError(f"The time of a frame is {time}; give seconds.")
        last = time if self._time is None else self._time
        if time < last:
            raise InputError(f"Time runs backwards, from {last} s to {time} s. Call reset() before another video.")
        self._time = float(time)
        return max(float(time) - last, self._MIN_STEP)


def warm_up() -> None:
    """Load what is compiled for trackers, so that the first frame need not wait; the first time, compile it."""
    announce()
    boxes, keypoints = np.array([[0.0, 0, 9, 9], [0, 0, 9, 9]]), np.zeros((2, len(COCO), 2))
    tracker = PoseTracker()
    tracker.update(Poses(boxes, keypoints, np.ones((2, len(COCO)))), 0.0)
    tracker.update(Poses(boxes, keypoints, np.ones((2, len(COCO)))), 0.1)
