"""The pipeline from a frame to the people in it: detect, estimate poses, track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from ..models.geometry.boxes import iou
from .perception.neighbours import corrected, doubtful
from .perception.protocols import Camera, Detector, PoseEstimator, SingleStageEstimator
from .perception.schedule import FrameMode, Schedule
from .timings import Timings
from .tracking.anchors import Anchors
from .tracking.expectation import with_own_boxes
from .tracking.recovery import joined, missed, recovered, widened
from .tracking.tracker import PoseTracker
from .types import Detections, Frame, Poses, Tracks
from .types.frames import as_frames

if TYPE_CHECKING:
    from .perception.activity import Activity


_SAME = 0.5  # IoU above which a detection belongs to a track


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a frame before its people are matched to tracks.

    Attributes:
        time: seconds.
        mode: which networks ran.
        motion: (2, 3) of the camera since the last frame; None for a static camera and after a cut.
        cut: whether the frame begins a scene.
        poses: of its people; None if they are predicted.
        boxes: (N, 4) of the detected people.
    """

    time: float
    mode: FrameMode
    motion: NDArray[np.float64] | None
    cut: bool
    poses: Poses | None
    boxes: NDArray[np.floating]


class Pipeline:
    """Callable `(frame) -> Tracks`.

    Args:
        detector: `(frame) -> Detections`; None for a single-stage estimator.
        estimator: `(frame, detections) -> Poses`; without a detector, `(frame) -> Poses`.
        tracker: `update(poses, time) -> Tracks`; the default tracker if omitted.
        camera: `(frame, boxes of the last frame) -> motion`; a static camera if omitted.
        schedule: decides per frame which networks run; both run in every frame if omitted.
        activity: `(frame, boxes) -> bool`, motion outside the boxes, for adaptive schedules; no motion if omitted.
        timings: collects the times of the stages.
        streams: number of threads that may call `estimate` at once.
        recover: whether known people complete the detections: those missed by the detector are followed by their
            pose, and limbs that it leaves out of a box are looked for.

    Attributes:
        modes: number of frames by mode.
        record: called with what was observed of each frame, in order; None for nothing.
    """

    def __init__(
        self,
        detector: Detector | None,
        estimator: PoseEstimator | SingleStageEstimator,
        tracker: PoseTracker | None = None,
        *,
        camera: Camera | None = None,
        schedule: Schedule | None = None,
        activity: Activity | None = None,
        timings: Timings | None = None,
        streams: int = 1,
        recover: bool = True,
    ) -> None:
        self.detector = detector
        self.estimator = estimator
        self.tracker = tracker or PoseTracker(skeleton=estimator.skeleton)
        self.camera = camera
        self.schedule = schedule or Schedule()
        self.timings = timings or Timings()
        self.activity = activity
        self.streams = streams
        self.recover = recover and detector is not None
        self.record: Callable[[Observed], None] | None = None
        self._anchors = Anchors()
        self.modes: Counter[FrameMode] = Counter()
        self._size: tuple[int, ...] | None = None
        self._boxes: NDArray[np.floating] = np.zeros((0, 4))  # people of the last frame
        self._last: tuple[int, float] | None = None  # index and time of the last frame

    @overload
    def __call__(self, frame: Frame, detections: Detections | None = None, poses: Poses | None = None) -> Tracks: ...

    @overload
    def __call__(self, frame: NDArray[Any], *, time: float | None = None) -> Tracks: ...

    @overload
    def __call__(self, frame: Sequence[Any], *, time: Sequence[float] | None = None) -> list[Tracks]: ...

    def __call__(
        self, frame: Any, detections: Detections | None = None, poses: Poses | None = None, *, time: Any = None
    ) -> Any:
        """Return the people of a frame; frames must come in the order of their time.

        After a change of the frame size, people get new IDs, because pixels of the two sizes are not comparable.

        Args:
            frame: `Frame`; image, see `image.as_bgr`; or a list of either, for which a list is returned.
            detections: of this frame, if `detect` was called before.
            poses: of these detections, if `estimate` was called before.
            time: seconds, for an image; a list of seconds for a list. Only the first image after `reset` needs none.

        Raises:
            InputError: the image is invalid, its time is missing, or its time is before that of the last frame.
        """
        if isinstance(frame, list | tuple):
            return [self._process(each) for each in as_frames(frame, time, last=self._last)]
        (frame,) = as_frames([frame], None if time is None else [time], last=self._last)
        return self._process(frame, detections, poses)

    def _process(self, frame: Frame, detections: Detections | None = None, poses: Poses | None = None) -> Tracks:
        """Return the people of the next frame."""
        observed = self._observe(frame, detections, poses)
        if self.record:
            self.record(observed)
        tracks = self._update(frame, observed)
        if observed.mode is FrameMode.DETECT and self.schedule.skips:
            self._anchors.keep(self.tracker.expect(frame.time), self._boxes)
        return tracks

    def replay(self, frame: Frame, observed: Observed) -> Tracks:
        """Return the people of the next frame by what another session observed of it; no network runs."""
        if observed.cut:
            self.tracker.cut()
        return self._update(frame, observed)

    def _update(self, frame: Frame, observed: Observed) -> Tracks:
        """Match the people of a frame to tracks."""
        height, width = frame.image.shape[:2]
        size, motion = (height, width), observed.motion
        self.modes[observed.mode] += 1
        with self.timings.stage("track"):
            if observed.poses is None:
                return self.tracker.predict(frame.time, size=size, motion=motion)
            tracks = self.tracker.update(observed.poses, frame.time, size=size, motion=motion)
        unmatched = iou(observed.boxes, tracks.poses.boxes).max(-1, initial=0.0) < _SAME
        return replace(tracks, others=observed.boxes[unmatched])

    def _observe(self, frame: Frame, detections: Detections | None, poses: Poses | None) -> Observed:
        """Run the networks and the camera motion that the schedule requests for the next frame."""
        size = frame.image.shape[:2]
        cut = self._size not in (None, size)
        if cut:
            self._cut()
            self._forget_images()
        step = 0.0 if self._last is None else frame.time - self._last[1]
        self._size, self._last = size, (frame.index, frame.time)
        motion, mode, expected = self._motion(frame), FrameMode.DETECT, Tracks.empty(len(self.estimator.skeleton))
        cut |= self.camera is not None and motion is None
        skips = self.schedule.skips and detections is None and poses is None
        if skips or self.recover:
            expected = self.tracker.expect(frame.time, motion=motion)
        if skips:
            expected = self._anchors.place(expected)
            mode = self._mode(frame, expected, motion)
        if mode is FrameMode.PREDICT:
            self._boxes = expected.poses.boxes
            return Observed(frame.time, mode, motion, cut, None, self._boxes)
        if poses is None:
            if mode is FrameMode.FOLLOW:
                detections = Detections(expected.poses.boxes, expected.poses.box_scores)
            poses = self.estimate(frame, self.detect(frame) if detections is None else detections)
        boxes = poses.boxes
        if mode is FrameMode.DETECT and self.recover:
            poses = self._completed(frame, expected, poses, step)
        self._boxes = poses.boxes
        if mode is FrameMode.FOLLOW:
            self.schedule.learn(poses, expected.poses)
            poses = with_own_boxes(poses, expected.poses)
        elif self.detector is None:
            self.schedule.learn(*_same_people(poses, expected.poses))
        return Observed(frame.time, mode, motion, cut, poses, boxes)

    def _completed(self, frame: Frame, expected: Tracks, found: Poses, step: float) -> Poses:
        """Complete the poses of detected people by the known ones; the last frame was `step` seconds ago."""
        estimate, sigmas = partial(self.estimate, frame), self.estimator.skeleton.sigmas
        poses = widened(found, expected.poses, estimate=estimate, sigmas=sigmas)
        rows = missed(expected.poses.boxes, found.boxes, frame.image.shape[:2])
        if not rows.any():
            return poses
        if not self.schedule.skips:  # else they were kept after the last detection
            self._anchors.keep(self.tracker.expect(frame.time - step), self._boxes)
        people = self._anchors.place(expected).poses[rows]
        return joined(poses, recovered(people, found, estimate=estimate, sigmas=sigmas, seconds=step))

    def detect(self, frame: Frame) -> Detections | None:
        """Detect the people of a frame, or None with a single-stage estimator; may run frames ahead of the tracker."""
        if self.detector is None:
            return None
        with self.timings.stage("detect"):
            return self.detector(frame)

    def estimate(self, frame: Frame, detections: Detections | None) -> Poses:
        """Estimate the poses of detected people, or of all with a single-stage estimator; may run frames ahead."""
        estimator: Any = self.estimator
        with self.timings.stage("pose"):
            if detections is None:
                return estimator(frame)
            poses = estimator(frame, detections)
            rows, beside = doubtful(poses)
            if not len(rows):
                return poses
            return corrected(poses, rows, estimator(frame, Detections(beside, poses.box_scores[rows])))

    def _motion(self, frame: Frame) -> NDArray[np.float64] | None:
        """Return the camera's motion since the last frame."""
        if self.camera is None:
            return None
        with self.timings.stage("camera"):
            motion = self.camera(frame, self._boxes)
        if motion is None:  # a hard cut
            self._cut()
        return motion

    def _cut(self) -> None:
        """End all tracks at a hard cut; IDs continue to count up."""
        self.tracker.cut()
        self.schedule.cut()
        self._anchors.reset()

    def _mode(self, frame: Frame, expected: Tracks, motion: NDArray[np.float64] | None) -> FrameMode:
        """Decide which networks run in a frame."""
        moved = motion is not None and bool((motion != np.eye(2, 3)).any())
        if self.activity and self.schedule.watches:
            with self.timings.stage("camera"):
                moved |= self.activity(frame, expected.poses.boxes)
        mode = self.schedule(frame.time, expected, has_tentative=self.tracker.has_tentative, moved=moved)
        if mode is FrameMode.FOLLOW and self.detector is None:
            mode = FrameMode.DETECT  # a single-stage network always finds all people
        if self.activity and mode is FrameMode.DETECT:
            self.activity.keep()
        return mode

    def reset(self) -> None:
        """Forget the source; IDs start at 1 again."""
        self.tracker.reset()
        self.schedule.reset()
        self._anchors.reset()
        self._forget_images()
        self._size, self._last = None, None

    def _forget_images(self) -> None:
        for part in (self.camera, self.activity):
            if part:
                part.reset()
        self._boxes = np.zeros((0, 4))

    def session(self) -> Self:
        """Return an independent pipeline that shares the loaded networks.

        Use one session per video to track several videos at once.
        """
        other = type(self)(
            self.detector,
            self.estimator,
            deepcopy(self.tracker),
            camera=deepcopy(self.camera),
            schedule=deepcopy(self.schedule),
            activity=deepcopy(self.activity),
            streams=self.streams,
            recover=self.recover,
        )
        other.reset()
        return other


def _same_people(found: Poses, expected: Poses) -> tuple[Poses, Poses]:
    """Return the poses that were found and expected of the same people, in the same order."""
    overlap = iou(found.boxes, expected.boxes)  # (N, M)
    rows, columns = np.nonzero(overlap > _SAME)
    return found[rows], expected[columns]
