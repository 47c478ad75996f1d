"""The straight line from a frame to the people in it: detect, estimate, track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..installation import explained
from ..models.geometry.boxes import iou
from .perception.protocols import Detector, PoseEstimator
from .perception.schedule import Every, FrameMode, Schedule
from .timings import Timings
from .tracking.anchors import Anchors
from .tracking.config import CALIBRATED
from .tracking.expectation import carried
from .tracking.tracker import PoseTracker, warm_up
from .types import Detections, Frame, Poses, Tracks

if TYPE_CHECKING:
    from .perception.activity import Activity


_SAME = 0.5  # IoU from which a detection is of a track


class Camera(Protocol):
    """Tells how the camera moved since the last frame."""

    def __call__(self, frame: Frame, boxes: NDArray[np.floating], /) -> NDArray[np.float64] | None:
        """Return the (2, 3) matrix that brings points of the last frame to this one, or None at a hard cut."""
        ...

    def reset(self) -> None:
        """Forget the last frame, before another source."""
        ...


class Pipeline:
    """Callable `(frame) -> Tracks`.

    Args:
        detector: `(frame) -> Detections`.
        estimator: `(frame, detections) -> Poses`.
        tracker: with `update(poses, time) -> Tracks`.
        camera: `(frame, boxes of the last frame) -> motion`; the camera stands still when left out.
        schedule: which frames are looked at, and how; every one with everything when left out.
        activity: `(frame, boxes) -> whether something moves elsewhere`, for a schedule that asks; nothing does when
            left out.
        timings: where the stages' times go.
        streams: how many frames' poses `estimate` may be asked for at once, by as many threads.

    Attributes:
        looks: how many frames were looked at in which way.
    """

    def __init__(
        self,
        detector: Detector,
        estimator: PoseEstimator,
        tracker: PoseTracker | None = None,
        *,
        camera: Camera | None = None,
        schedule: Schedule | None = None,
        activity: Activity | None = None,
        timings: Timings | None = None,
        streams: int = 1,
    ) -> None:
        self.detector = detector
        self.estimator = estimator
        self.tracker = tracker or PoseTracker(skeleton=estimator.skeleton)
        self.camera = camera
        self.schedule = schedule or Schedule()
        self.timings = timings or Timings()
        self.activity = activity
        self.streams = streams
        self._anchors = Anchors()
        self.looks: Counter[FrameMode] = Counter()
        self._size: tuple[int, ...] | None = None
        self._boxes: NDArray[np.floating] = np.zeros((0, 4))  # of the people in the last frame
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
        """Return the people of a frame; call it with frames in the order of their time.

        Pictures of another size begin anew with other ids: places in the one mean nothing in the other.

        Args:
            frame: a `Frame`; a picture, see `picture.as_bgr`; or a list of either, which gives a list.
            detections: of this frame, where `detect` found them ahead.
            poses: of those, where `estimate` found them ahead.
            time: seconds, where pictures are given; a list of them for several. Only the first one after `reset` may do
                without.

        Raises:
            InputError: there is no such picture, its time is missing, or it is before that of the last frame.
        """
        if isinstance(frame, list | tuple):
            return [self._follow(each) for each in self._frames(frame, time)]
        (frame,) = self._frames([frame], None if time is None else [time])
        return self._follow(frame, detections, poses)

    def _frames(self, pictures: Sequence[Any], times: Any) -> list[Frame]:
        """Return frames that can follow the last one, in this order; all are checked before the first is used."""
        if times is not None and (np.ndim(times) != 1 or len(times) != len(pictures)):
            raise InputError(f"The times are {times!r} for {len(pictures)} pictures; give one for each.")
        frames, last = [], self._last
        for number, picture in enumerate(pictures):
            time = None if times is None else times[number]
            if isinstance(picture, Frame) and time is not None:
                raise InputError(f"A Frame has its own time, {picture.time} s. Leave time={time} out.")
            if not isinstance(picture, Frame):
                if last is not None and time is None:
                    raise InputError(
                        "A picture after another one needs its time. Give time=seconds (a list for several pictures), "
                        "or call reset() first where it is not of the same video."
                    )
                picture = Frame(picture, 0 if last is None else last[0] + 1, 0.0 if time is None else time)
            if last is not None and picture.time < last[1]:
                raise InputError(
                    f"Time runs backwards, from {last[1]} s to {picture.time} s. "
                    "Call reset() before another video, or take a session() for each."
                )
            last = picture.index, picture.time
            frames.append(picture)
        return frames

    def _follow(self, frame: Frame, detections: Detections | None = None, poses: Poses | None = None) -> Tracks:
        """Return the people of the next frame."""
        size = frame.image.shape[:2]
        if self._size not in (None, size):
            self._cut()
            self._forget_pictures()
        self._size, self._last = size, (frame.index, frame.time)
        motion, look, expected = self._motion(frame), FrameMode.DETECT, Tracks.empty(len(self.estimator.skeleton))
        if detections is None and self.schedule.skips:
            expected = self._anchors.place(self.tracker.expect(frame.time, motion=motion))
            look = self._look(frame, expected, motion)
        self.looks[look] += 1
        people = Detections(expected.poses.boxes, expected.poses.box_scores)
        if look is FrameMode.DETECT:
            people = self.detect(frame) if detections is None else detections
        self._boxes = people.boxes
        if look is FrameMode.PREDICT:
            with self.timings.stage("track"):
                return self.tracker.predict(frame.time, size=size, motion=motion)
        poses = self.estimate(frame, people) if poses is None else poses
        with self.timings.stage("track"):
            if look is FrameMode.FOLLOW:
                self.schedule.learn(poses, expected.poses)
                poses = carried(poses, expected.poses)
            tracks = self.tracker.update(poses, frame.time, size=size, motion=motion)
            if look is FrameMode.DETECT and self.schedule.skips:
                self._anchors.keep(self.tracker.expect(frame.time), people.boxes)
        strangers = iou(people.boxes, tracks.poses.boxes).max(-1, initial=0.0) < _SAME
        return replace(tracks, others=people.boxes[strangers])

    def detect(self, frame: Frame) -> Detections:
        """Find the people of a frame; may be frames ahead of what the tracker knows."""
        with self.timings.stage("detect"):
            return self.detector(frame)

    def estimate(self, frame: Frame, detections: Detections) -> Poses:
        """Estimate the poses of detected people; likewise."""
        with self.timings.stage("pose"):
            return self.estimator(frame, detections)

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
        """Go on with ids, but with nobody: who was in the last frame is not in this one."""
        self.tracker.cut()
        self.schedule.cut()
        self._anchors.reset()

    def _look(self, frame: Frame, expected: Tracks, motion: NDArray[np.float64] | None) -> FrameMode:
        """Decide how a frame is looked at."""
        moved = motion is not None and bool((motion != np.eye(2, 3)).any())
        if self.activity and self.schedule.watches:
            with self.timings.stage("camera"):
                moved |= self.activity(frame, expected.poses.boxes)
        look = self.schedule(frame.time, expected, has_tentative=self.tracker.has_tentative, moved=moved)
        if self.activity and look is FrameMode.DETECT:
            self.activity.keep()
        return look

    def reset(self) -> None:
        """Begin another source: nothing of this one is left, and ids count from 1 again."""
        self.tracker.reset()
        self.schedule.reset()
        self._anchors.reset()
        self._forget_pictures()
        self._size, self._last = None, None

    def _forget_pictures(self) -> None:
        for part in (self.camera, self.activity):
            if part:
                part.reset()
        self._boxes = np.zeros((0, 4))

    def session(self) -> Self:
        """Return another pipeline on the same loaded networks, with a tracker and figures of its own.

        Any number of videos can be followed at once so, each by its session, and nothing of one gets into another.
        """
        parts: dict[str, Any] = {name: deepcopy(getattr(self, name)) for name in ("camera", "schedule", "activity")}
        other = type(self)(self.detector, self.estimator, deepcopy(self.tracker), streams=self.streams, **parts)
        other.reset()
        return other


@explained()
def load_pipeline(
    model: str = "bundled",
    detector: str | Callable[[Frame], Any] = "bundled",
    device: str = "auto",
    *,
    dataset: str = "coco",
    runtime: str = "auto",
    precision: str = "auto",
    conf: float = 0.2,
    max_people: int = 0,
    detect_size: int = 0,
    flip: bool = False,
    smooth: str = "one-euro",
    camera: str = "auto",
    detect_every: Every = 1,
    pose_every: Every = 1,
    streams: int = 1,
    offline: bool = False,
) -> Pipeline:
    """Load the networks and put them in line.

    Args:
        model: pose network by name or file; `posetrack models` lists the names.
        detector: person detector by name or file; a file of boxes; or your own, a function `(frame) -> Detections`, of
            which boxes (N, 4), or these and scores (N,), will do, too.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dataset: whose keypoints are estimated: coco, aic, mpii, ap10k, apt36k or wholebody.
        runtime: what computes the networks: `auto`, `torch`, `openvino` or `onnxruntime`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        conf: detections below this score are not looked at.
        max_people: at most so many people a frame, the most certain first; 0 is everybody.
        detect_size: longer side in pixels that the detector sees; 0 is the one that it learnt at.
        flip: average each pose with the mirrored crop's.
        smooth: how the tracker smooths keypoints: none, kalman or one-euro.
        camera: whether it is `static` or `moving`; `auto` finds out.
        detect_every: look for people in every Nth frame, and follow them in between; `auto` decides by what moves.
        pose_every: estimate keypoints in every Nth frame, and predict them in between; `auto` decides likewise.
        streams: how many frames `loop` may work at at once: more in the same time, each of them later. One, where a
            frame may pass without a detection, and for runtimes that cannot.
        offline: never use the network.

    Raises:
        ModelError: weights cannot be found, fetched or loaded.
        DeviceError: the device is not there.
        UsageError: a name is not known.
    """
    from .perception.activity import Activity
    from .perception.camera import CameraMotion
    from .perception.detector import load_detector
    from .perception.pose import load_pose_estimator

    schedule = Schedule(detect_every, pose_every)
    where: dict[str, Any] = {"device": device, "runtime": runtime, "precision": precision, "offline": offline}
    where["streams"] = 1 if schedule.skips else streams  # a frame that waits for the one before it wants all threads
    people = load_detector(detector, **where, conf=conf, max_people=max_people or None, size=detect_size or None)
    estimator = load_pose_estimator(model, dataset=dataset, **where, flip=flip)
    warm_up()  # not beside the networks: numba's compiler and torch's tracer both swap Python's one list of warnings
    thresholds = CALIBRATED if detector == "bundled" else {}
    tracker = PoseTracker(skeleton=estimator.skeleton, smooth=smooth, **thresholds)
    parts: dict[str, Any] = {"camera": CameraMotion(camera), "schedule": schedule, "activity": Activity()}
    return Pipeline(people, estimator, tracker, streams=estimator.network.streams, **parts)
