"""The straight line from a frame to the people in it: detect, estimate, track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..models.keypoints import Skeleton
from .timings import Timings
from .tracking.tracker import PoseTracker
from .types import Detections, Frame, Poses, Tracks

if TYPE_CHECKING:
    from .perception.runtimes import Runtime


class Detector(Protocol):
    """Finds the people of a frame.

    Attributes:
        name: how it is called in files.
        sha256: of its weights; empty where it has none.
        network: what computes it; None where nothing is computed.
    """

    name: str
    sha256: str

    @property
    def network(self) -> Runtime | None:
        """See above; read only, so that one of the two kinds will do."""
        ...

    def __call__(self, frame: Frame, /) -> Detections:
        """Return the people's boxes."""
        ...


class Estimator(Protocol):
    """Estimates the poses of detected people.

    Attributes:
        name: how it is called in files.
        sha256: of its weights; empty where it has none.
        skeleton: what its keypoints are.
        network: what computes it.
    """

    name: str
    sha256: str
    skeleton: Skeleton
    network: Runtime

    def __call__(self, frame: Frame, detections: Detections, /) -> Poses:
        """Return one pose for each detection, in the same order."""
        ...


class Camera(Protocol):
    """Tells how the camera moved since the last frame."""

    def __call__(self, frame: Frame, detections: Detections, /) -> NDArray[np.float64] | None:
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
        camera: `(frame, detections) -> motion`; the camera stands still when left out.
        timings: where the stages' times go.
    """

    def __init__(
        self,
        detector: Detector,
        estimator: Estimator,
        tracker: PoseTracker | None = None,
        *,
        camera: Camera | None = None,
        timings: Timings | None = None,
    ) -> None:
        self.detector = detector
        self.estimator = estimator
        self.tracker = tracker or PoseTracker(skeleton=estimator.skeleton)
        self.camera = camera
        self.timings = timings or Timings()
        self._size: tuple[int, ...] | None = None

    def __call__(self, frame: Frame) -> Tracks:
        """Return the people of a frame; call it with frames in the order of their time."""
        return self.follow(frame, self.detect(frame))

    def detect(self, frame: Frame) -> Detections:
        """Find the people of a frame: the first half of the line, which may be frames ahead of the second one."""
        with self.timings.stage("detect"):
            return self.detector(frame)

    def follow(self, frame: Frame, detections: Detections) -> Tracks:
        """Estimate and track what was detected: the second half of the line.

        Pictures of another size begin anew with other ids: places in the one mean nothing in the other.
        """
        size = frame.image.shape[:2]
        if self._size not in (None, size):
            self.reset()
        self._size = size
        with self.timings.stage("pose"):
            poses = self.estimator(frame, detections)
        motion = None
        if self.camera:
            with self.timings.stage("camera"):
                motion = self.camera(frame, detections)
            if motion is None:  # a hard cut: nobody of the last frame is in this one
                self.tracker.reset()
        with self.timings.stage("track"):
            return self.tracker.update(poses, frame.time, size=size, motion=motion)

    def reset(self) -> None:
        """Forget all people, before another source."""
        self.tracker.reset()
        if self.camera:
            self.camera.reset()
        self._size = None


def load_pipeline(
    model: str = "bundled",
    detector: str = "bundled",
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
    offline: bool = False,
) -> Pipeline:
    """Load the networks and put them in line.

    Args:
        model: pose network by name or file; `posetrack models` lists the names.
        detector: person detector by name or file, or a file of boxes.
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
        offline: never use the network.

    Raises:
        ModelError: weights cannot be found, fetched or loaded.
        DeviceError: the device is not there.
        UsageError: a name is not known.
    """
    from .perception.camera import CameraMotion
    from .perception.detector import load_detector
    from .perception.pose import load_pose_estimator

    where: dict[str, Any] = {"device": device, "runtime": runtime, "precision": precision, "offline": offline}
    people = load_detector(detector, **where, conf=conf, max_people=max_people or None, size=detect_size or None)
    estimator = load_pose_estimator(model, dataset=dataset, **where, flip=flip)
    tracker = PoseTracker(skeleton=estimator.skeleton, smooth=smooth)
    return Pipeline(people, estimator, tracker, camera=CameraMotion(camera))
