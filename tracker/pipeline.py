"""The pipeline from a frame to the people in it: detect, estimate poses, track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UsageError
from ..installation import explained
from ..models.geometry.boxes import iou
from .config import Networks, Tracking
from .image import as_bgr
from .perception.protocols import Detector, PoseEstimator, SingleStageEstimator
from .perception.schedule import Every, FrameMode, Schedule
from .timings import Timings
from .tracking.anchors import Anchors
from .tracking.config import CALIBRATED
from .tracking.expectation import carried
from .tracking.recovery import faded, joined, missed
from .tracking.tracker import PoseTracker, warm_up
from .types import Detections, Frame, Poses, Tracks

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


class Camera(Protocol):
    """Camera motion between frames."""

    def __call__(self, frame: Frame, boxes: NDArray[np.floating], /) -> NDArray[np.float64] | None:
        """Return the (2, 3) affine matrix from the last frame to this one, in pixels; None at a hard cut."""
        ...

    def reset(self) -> None:
        """Forget the last frame."""
        ...


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
        recover: whether known people whom the detector misses are followed by their pose, where they are expected.

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
            return [self._follow(each) for each in self._frames(frame, time)]
        (frame,) = self._frames([frame], None if time is None else [time])
        return self._follow(frame, detections, poses)

    def _frames(self, images: Sequence[Any], times: Any) -> list[Frame]:
        """Return images as frames; all are checked before the first is used."""
        if times is not None and (np.ndim(times) != 1 or len(times) != len(images)):
            raise InputError(f"The times are {times!r} for {len(images)} images; give one for each.")
        frames, last = [], self._last
        images = [image if isinstance(image, Frame) else as_bgr(image) for image in images]
        for number, image in enumerate(images):
            time = None if times is None else times[number]
            if isinstance(image, Frame) and time is not None:
                raise InputError(f"A Frame has its own time, {image.time} s. Leave time={time} out.")
            if not isinstance(image, Frame):
                if last is not None and time is None:
                    raise InputError(
                        "An image after another one needs its time. Give time=seconds (a list for several images), "
                        "or call reset() first if it is from another video."
                    )
                image = Frame(image, 0 if last is None else last[0] + 1, 0.0 if time is None else time)
            if last is not None and image.time < last[1]:
                raise InputError(
                    f"Timestamps run backwards, from {last[1]} s to {image.time} s. "
                    "Call reset() before another video, or take a session() for each."
                )
            last = image.index, image.time
            frames.append(image)
        return frames

    def _follow(self, frame: Frame, detections: Detections | None = None, poses: Poses | None = None) -> Tracks:
        """Return the people of the next frame."""
        observed = self._observe(frame, detections, poses)
        if self.record:
            self.record(observed)
        tracks = self._place(frame, observed)
        if observed.mode is FrameMode.DETECT and self.schedule.skips:
            self._anchors.keep(self.tracker.expect(frame.time), self._boxes)
        return tracks

    def replay(self, frame: Frame, observed: Observed) -> Tracks:
        """Return the people of the next frame by what another session observed of it; no network runs."""
        if observed.cut:
            self.tracker.cut()
        return self._place(frame, observed)

    def _place(self, frame: Frame, observed: Observed) -> Tracks:
        """Match the people of a frame to tracks."""
        place: dict[str, Any] = {"size": frame.image.shape[:2], "motion": observed.motion}
        self.modes[observed.mode] += 1
        with self.timings.stage("track"):
            if observed.poses is None:
                return self.tracker.predict(frame.time, **place)
            tracks = self.tracker.update(observed.poses, frame.time, **place)
        strangers = iou(observed.boxes, tracks.poses.boxes).max(-1, initial=0.0) < _SAME
        return replace(tracks, others=observed.boxes[strangers])

    def _observe(self, frame: Frame, detections: Detections | None, poses: Poses | None) -> Observed:
        """Run the networks and the camera motion that the schedule wants for the next frame."""
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
            poses = joined(poses, self._recovered(frame, expected, boxes, step))
        self._boxes = poses.boxes
        if mode is FrameMode.FOLLOW:
            self.schedule.learn(poses, expected.poses)
            poses = carried(poses, expected.poses)
        elif self.detector is None:
            self.schedule.learn(*_same_people(poses, expected.poses))
        return Observed(frame.time, mode, motion, cut, poses, boxes)

    def _recovered(self, frame: Frame, expected: Tracks, boxes: NDArray[np.floating], step: float) -> Poses:
        """Return the poses of expected people who are there without a detected box.

        The box score of the last frame, `step` seconds ago, fades: a person who is never detected again is lost.
        """
        rows = missed(expected.poses.boxes, boxes, frame.image.shape[:2])
        if not rows.any():
            return Poses.empty(len(self.estimator.skeleton))
        if not self.schedule.skips:  # else they were kept after the last detection
            self._anchors.keep(self.tracker.expect(frame.time - step), self._boxes)
        people = self._anchors.place(expected).poses[rows]
        poses = self.estimate(frame, Detections(people.boxes, faded(people.box_scores, step)))
        return carried(poses, people)

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
            return estimator(frame) if detections is None else estimator(frame, detections)

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
        parts: dict[str, Any] = {name: deepcopy(getattr(self, name)) for name in ("camera", "schedule", "activity")}
        other = type(self)(
            self.detector, self.estimator, deepcopy(self.tracker), streams=self.streams, recover=self.recover, **parts
        )
        other.reset()
        return other


def _same_people(found: Poses, expected: Poses) -> tuple[Poses, Poses]:
    """Return the poses that were found and expected of the same people, in the same order."""
    overlap = iou(found.boxes, expected.boxes)  # (N, M)
    rows, columns = np.nonzero(overlap > _SAME)
    return found[rows], expected[columns]


@explained()
def load_pipeline(
    model: str = Networks.model,
    detector: str | Callable[[Frame], Any] = Networks.detector,
    device: str = Networks.device,
    *,
    dataset: str = Networks.dataset,
    runtime: str = Networks.runtime,
    precision: str = Networks.precision,
    conf: float = Networks.conf,
    max_people: int = Networks.max_people,
    detect_size: int = Networks.detect_size,
    flip: bool = Networks.flip,
    smooth: str = Tracking.smooth,
    remember: float = Tracking.remember,
    camera: str = Tracking.camera,
    detect_every: Every = Tracking.detect_every,
    pose_every: Every = Tracking.pose_every,
    target_fps: float = Tracking.target_fps,
    streams: int = 1,
    offline: bool = Networks.offline,
) -> Pipeline:
    """Load the networks and build a pipeline.

    Args:
        model: pose network: a name from `posetrack models`, a weights or ONNX file, a single-stage network such as
            `yolo11n-pose.pt`, which needs no detector, or `auto`, the best one here that is fast enough.
        detector: person detector: `bundled`, a name such as `yolo11n.pt`, a weights or ONNX file, a file of boxes, or
            `auto`; or a function `(frame) -> Detections`, which may also return boxes (N, 4), or boxes and scores (N,).
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`; an unavailable device is an error.
        dataset: skeleton: `auto` is the network's own; `coco`, `aic`, `mpii`, `ap10k`, `apt36k`, `wholebody` of a
            ViTPose+.
        runtime: inference backend: `auto`, `torch`, `openvino` or `onnxruntime`.
        precision: numeric precision: `auto`, `fp32`, `bf16` or `fp16`.
        conf: detections with a lower confidence are ignored.
        max_people: largest number of people per frame, by confidence; 0 is no limit.
        detect_size: longer side of the detector's input; 0 is the size of its training.
        flip: average each pose with that of the mirrored crop: slightly more accurate, twice the work.
        smooth: `none`: as measured; `kalman`: 1.3 times less noise at rest, 1 ms lag; `one-euro`: 4 times less, 10 ms
            lag.
        remember: how long to remember people who left, to give them their IDs back by appearance; 0 recognises no one.
        camera: `static` or `moving`; `auto` detects and compensates camera motion.
        detect_every: run the detector in every Nth frame; `auto` decides by motion.
        pose_every: run the pose network in every Nth frame, and predict in between; `auto` as above.
        target_fps: frame rate that `auto` aims at; 0 is the source's rate, and for `auto` networks 25, or 2 for files.
        streams: number of frames that `loop` processes at once: higher throughput, higher latency. 1 if frames may
            pass without a detection, and for inference backends without streams.
        offline: never use the network.

    Raises:
        ModelError: weights cannot be found, downloaded or loaded.
        DeviceError: the device is not available.
        UsageError: a name is unknown, or a value is not allowed.

    >>> import numpy as np
    >>> import posetrack
    >>> pipeline = posetrack.load_pipeline(detector=lambda frame: [[100, 50, 200, 400]])
    >>> images = np.zeros((2, 480, 640, 3), np.uint8)
    >>> [tracks.ids.tolist() for tracks in pipeline(list(images), time=[0.0, 0.04])]
    [[1], [1]]
    """
    networks = Networks(
        model=model,
        dataset=dataset,
        detector=detector,
        device=device,
        runtime=runtime,
        precision=precision,
        conf=conf,
        max_people=max_people,
        detect_size=detect_size,
        flip=flip,
        offline=offline,
    )
    every: dict[str, Any] = {"detect_every": detect_every, "pose_every": pose_every}
    tracking = Tracking(smooth=smooth, remember=remember, camera=camera, target_fps=target_fps, **every)
    return assemble(networks, tracking, streams=streams)


def assemble(networks: Networks, tracking: Tracking, *, streams: int = 1, live: bool = False) -> Pipeline:
    """Load the networks and build a pipeline, as `load_pipeline` does, from groups of options."""
    from .perception.activity import Activity
    from .perception.automatic import FILE_FPS, LIVE_FPS, choose_networks
    from .perception.camera import CameraMotion
    from .perception.detector import FileDetector, load_detector
    from .perception.pose import load_pose_estimator
    from .perception.single_stage import SingleStagePoseEstimator

    where: dict[str, Any] = {name: getattr(networks, name) for name in ("device", "runtime", "precision")}
    task: dict[str, Any] = {"dataset": networks.dataset, "flip": networks.flip, "size": networks.detect_size}
    fps = tracking.target_fps or (LIVE_FPS if live else FILE_FPS)
    model, detects = choose_networks(networks.model, networks.detector, fps=fps, **task, **where)
    networks = replace(networks, model=model, detector=detects)
    schedule = Schedule(tracking.detect_every, tracking.pose_every)
    where["offline"] = networks.offline
    where["streams"] = 1 if schedule.skips else streams  # a frame that waits for the previous one uses all threads
    where |= {"conf": networks.conf, "max_people": networks.max_people or None, "size": networks.detect_size or None}
    estimator = load_pose_estimator(networks.model, dataset=networks.dataset, flip=networks.flip, **where)
    detector: Detector | None = None
    thresholds: dict[str, Any] = {}
    if not isinstance(estimator, SingleStagePoseEstimator):
        detector = load_detector(networks.detector, **where)
        thresholds = CALIBRATED if networks.detector == "bundled" else {}
    elif networks.detector != Networks.detector:
        raise UsageError(
            f"{networks.model} finds people and keypoints in one pass, so the detector '{networks.detector}' has no "
            "use. Leave --detector out, or give another --model."
        )
    else:
        schedule = Schedule(tracking.pose_every, tracking.pose_every)  # one network, one rate
    warm_up()  # after the networks: numba's compiler and torch's tracer both swap Python's one list of warnings
    tracker = PoseTracker(
        skeleton=estimator.skeleton, smooth=tracking.smooth, remember_seconds=tracking.remember, **thresholds
    )
    parts: dict[str, Any] = {"camera": CameraMotion(tracking.camera), "schedule": schedule, "activity": Activity()}
    parts["recover"] = not isinstance(detector, FileDetector)  # the user's boxes are all that there are
    return Pipeline(detector, estimator, tracker, streams=estimator.network.streams, **parts)
