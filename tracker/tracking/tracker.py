"""The pose tracker: turns the poses of single frames into tracks with persistent ids."""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from math import inf
from typing import Any

import numpy as np

from ...errors import InputError
from ...models.geometry.keypoints import COCO, Skeleton
from ..types import Poses, State, Tracks, as_seconds
from .compiled import announce
from .config import LATENCIES, TrackerConfig
from .expectation import expected
from .identify import identify
from .kalman import Array
from .meetings import Meetings
from .memory import Memory
from .motion import Step, correct, predict
from .observations import observe
from .smoothing import smooth_keypoints
from .state import TrackState
from .visible import confirm, visible_people

_STATES = State.PREDICTED, State.MEASURED


class PoseTracker:
    """Assign persistent IDs to the people of a video, and smooth their keypoints.

        tracker = PoseTracker()
        for time, poses in ...:
            tracks = tracker.update(poses, time)

    Args:
        skeleton: skeleton of the keypoints.
        config: options; the defaults if None.
        **options: fields of `TrackerConfig` that override `config`.

    Raises:
        TypeError: an option does not exist.
        InputError: `smooth` is not a valid choice.
    """

    _MIN_STEP = 1e-3  # seconds; time step of two frames with the same timestamp

    def __init__(self, *, skeleton: Skeleton = COCO, config: TrackerConfig | None = None, **options: Any) -> None:
        names = [field.name for field in fields(TrackerConfig)]
        for name in options:
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.0)[0]
                raise TypeError(f"PoseTracker has no option {name!r}. Did you mean {near!r}?")
        self.skeleton = skeleton
        self.config = replace(config or TrackerConfig(), **options)
        if self.config.smooth not in LATENCIES:
            raise InputError(f"smooth is {self.config.smooth!r}; give one of {', '.join(LATENCIES)}.")
        self._memory = Memory(self.config)
        self._meetings = Meetings(self._memory)
        self._sigmas = np.array(skeleton.sigmas, dtype=np.float64)
        self.reset()

    def reset(self) -> None:
        """Start another video: delete all tracks; IDs start at 1 again."""
        self._next_id = 1
        self.cut()

    def cut(self) -> None:
        """Delete all tracks, as at a hard cut within a video; IDs are not reused."""
        self._people = TrackState.unknown(0, len(self.skeleton))
        self._memory.clear()
        self._meetings.clear()
        self._time: float | None = None
        self._idle = 0.0  # seconds from the last processed frame to the last frame

    def update(
        self, poses: Poses, time: float, *, size: tuple[int, int] | None = None, motion: Array | None = None
    ) -> Tracks:
        """Update the tracks with the poses of the next frame.

        The order of the poses does not matter. A frame with the timestamp of the previous one counts as 1 ms later.

        Args:
            poses: N people with K keypoints; their appearance vectors help to reidentify people.
            time: timestamp of the frame, seconds.
            size: (height, width) of the image, to which boxes are clipped; unbounded if None.
            motion: (2, 3) affine matrix that maps points of the last frame to this one, if the camera moves.

        Returns:
            The measured people and, for a short time, predictions of unobserved ones, in the order of their IDs.

        Raises:
            InputError: the time is before that of the last frame, or K differs from the skeleton's.
        """
        if poses.keypoints.shape[:2] == (0, 0):  # empty lists have no number of keypoints
            poses = Poses.empty(len(self.skeleton))
        if poses.keypoints.shape[1] != len(self.skeleton):
            given, expected = poses.keypoints.shape[1], f"{len(self.skeleton)} of the skeleton {self.skeleton.name!r}"
            raise InputError(f"The poses have {given} keypoints, not the {expected}. Give PoseTracker their skeleton.")
        tracks = self._advance(poses, time, size, motion, processed=True)
        self._idle = 0.0
        return tracks

    def predict(self, time: float, *, size: tuple[int, int] | None = None, motion: Array | None = None) -> Tracks:
        """Predict the tracks to a frame that is not processed, and return them.

        Unlike `update` without poses, it counts no track as missed: tracks with a match in the last processed frame
        move on and stay `measured`.

        Args:
            time: timestamp of the frame, seconds.
            size: as in `update`.
            motion: as in `update`.

        Raises:
            InputError: the time is before that of the last frame.
        """
        last = self._time
        empty = Poses.empty(len(self.skeleton))
        tracks = self._advance(empty, time, size, motion, processed=False)
        self._idle += self._MIN_STEP if last is None else max(time - last, self._MIN_STEP)
        return tracks

    def expect(self, time: float, *, motion: Array | None = None) -> Tracks:
        """Return the predicted poses of recently observed tracks with IDs, without changing the tracker.

        Args:
            time: seconds.
            motion: as in `update`.

        Returns:
            See `expectation.expected`.
        """
        dt = 0.0 if self._time is None else max(time - self._time, 0.0)
        known = (self._people.ids > 0) & (self._people.ages[:, 0] <= self.config.predicted_seconds)
        return expected(self._people.select(known), dt, motion=motion, idle=self._idle)

    @property
    def has_tentative(self) -> bool:
        """Whether there are tentative tracks that look like people; they have no ID yet."""
        return bool(((self._people.ids == 0) & (self._people.confirmation_scores > 0)).any())

    @property
    def remembered(self) -> int:
        """Number of tracks in memory, including lost and tentative ones."""
        return len(self._people.ids)

    def _advance(
        self,
        poses: Poses,
        time: float,
        size: tuple[int, int] | None,
        motion: Array | None,
        *,
        processed: bool,
    ) -> Tracks:
        """Advance all tracks by one frame."""
        new_scene, step = self._time is None, Step(self._seconds_to(time), self._idle, processed)
        people, sigmas, options = self._people, self._sigmas, self.config
        if motion is not None and (motion != np.eye(2, 3)).any():
            people = people.moved(motion)
            self._memory.move(motion)
        observed = observe(poses, sigmas, options)
        appearance = observed.appearance.shape[1:]
        if people.appearance.shape[1:] != appearance and len(observed.boxes):
            people = people._replace(
                appearance=np.zeros((len(people.ids), *appearance)), unoccluded=np.zeros(len(people.ids), dtype=bool)
            )
            self._memory.clear()
        bounds: tuple[float, float] = (inf, inf) if size is None else size
        predict(people, step, options)
        match, new = identify(people, observed, bounds, sigmas, options)
        self._meetings.exchange_ids(people, observed, match)
        if len(new):
            people = people.join(TrackState.unknown(len(new), len(self.skeleton), people.appearance.shape[1:]))
            match = np.concatenate([match, new])
        identities = self._memory.recognise(people, match, time)
        measured = correct(people, observed, match, step, sigmas, self.skeleton.flip_order, options)
        seen = smooth_keypoints(people, measured, step.seconds, options)
        self._next_id, alive = confirm(people, identities, self._next_id, new_scene, options)
        visible = visible_people(people, seen, bounds, options)
        self._memory.learn(people, time, self._meetings)
        self._people = people if alive.all() else people.select(alive)
        states = tuple([_STATES[measured] for measured in visible.measured.tolist()])
        poses, names = Poses(*visible[1:5]), self.skeleton.keypoints
        return Tracks(
            visible.ids,
            poses,
            visible.velocities,
            states,
            new_scene=new_scene,
            names=names,
            keypoint_states=(~visible.seen).astype(np.uint8),
        )

    def _seconds_to(self, time: float) -> float:
        """Return the seconds from the last frame to this one, which becomes the last one."""
        last, self._time = self._time, as_seconds(time, of="a frame", last=self._time)
        return max(self._time - (self._time if last is None else last), self._MIN_STEP)


def warm_up() -> None:
    """Compile the tracker or load its cached machine code, so that the first frame does not wait."""
    announce()
    boxes, keypoints = np.array([[0.0, 0, 9, 9], [0, 0, 9, 9]]), np.zeros((2, len(COCO), 2))
    tracker = PoseTracker()
    tracker.update(Poses(boxes, keypoints, np.ones((2, len(COCO)))), 0.0)
    tracker.update(Poses(boxes, keypoints, np.ones((2, len(COCO)))), 0.1)
