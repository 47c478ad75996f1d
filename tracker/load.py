"""Load the networks and build the pipeline from its options: `posetrack.load_pipeline`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..installation import explained
from .config.networks import Networks
from .config.tracking import Tracking
from .perception.schedule import Every, Schedule
from .pipeline import Pipeline
from .tracking.config import CALIBRATED
from .tracking.tracker import PoseTracker, warm_up

if TYPE_CHECKING:
    from .perception.protocols import Detector
    from .types import Frame


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
            `yolo11n-pose.pt`, which needs no detector, or `auto`, the best one on this machine that is fast enough.
        detector: person detector: `bundled`, a name such as `yolo11n.pt`, a weights or ONNX file, a file of boxes, or
            `auto`; or a function `(frame) -> Detections`, which may also return boxes (N, 4), or boxes and scores (N,).
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`; an unavailable device is an error.
        dataset: skeleton: `auto` is the network's; a ViTPose+ has `coco`, `aic`, `mpii`, `ap10k`, `apt36k` and
            `wholebody`.
        runtime: inference backend: `auto`, `torch`, `openvino` or `onnxruntime`.
        precision: numeric precision: `auto`, `fp32`, `bf16` or `fp16`.
        conf: ignore detections with a lower confidence.
        max_people: maximum number of people per frame, by confidence; 0 is no limit.
        detect_size: longer side of the detector's input; 0 is its training size.
        flip: average each pose with that of the mirrored crop: slightly more accurate, twice the pose computation.
        smooth: `none`; `kalman`: noise at rest 1.3 times lower, 1 ms lag; `one-euro`: 4 times lower, 10 ms lag.
        remember: restore the IDs of people who return within this time, by appearance; 0 turns this off.
        camera: `static` or `moving`; `auto` detects and compensates camera motion.
        detect_every: run the detector in every Nth frame; `auto` decides by motion.
        pose_every: run the pose network in every Nth frame, and predict in between; `auto` decides by motion.
        target_fps: frame rate that `auto` options must reach; 0 is the source's, or for `--model` and `--detector` 25
            live and 2 for files.
        streams: number of frames that `loop` processes at once: higher throughput, higher latency. 1 if frames may
            pass without a detection, and for inference backends without streams.
        offline: never access the internet.

    Raises:
        ModelError: weights cannot be found, downloaded or loaded.
        DeviceError: the device is not available.
        UsageError: a name is unknown, or a value is not allowed.

    Examples:
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
    tracking = Tracking(
        smooth=smooth,
        remember=remember,
        camera=camera,
        detect_every=detect_every,
        pose_every=pose_every,
        target_fps=target_fps,
    )
    return assemble(networks, tracking, streams=streams)


def assemble(
    networks: Networks, tracking: Tracking, *, streams: int = 1, sources: int = 1, live: bool = False
) -> Pipeline:
    """Load the networks and build a pipeline, as `load_pipeline` does, from groups of options.

    Args:
        networks: options.
        tracking: options.
        streams: number of frames of one source that are processed at once.
        sources: number of sources whose sessions run side by side.
        live: whether frames have to keep up with a camera.
    """
    from .perception.activity import Activity
    from .perception.automatic import FILE_FPS, LIVE_FPS, choose_networks
    from .perception.camera import CameraMotion
    from .perception.detector import load_detector
    from .perception.file_detector import FileDetector
    from .perception.pose import load_pose_estimator
    from .perception.single_stage import SingleStagePoseEstimator

    where = {"device": networks.device, "runtime": networks.runtime, "precision": networks.precision}
    model, chosen = choose_networks(
        networks.model,
        networks.detector,
        fps=tracking.target_fps or (LIVE_FPS if live else FILE_FPS),
        dataset=networks.dataset,
        flip=networks.flip,
        size=networks.detect_size,
        **where,
    )
    schedule = Schedule(tracking.detect_every, tracking.pose_every, target_fps=tracking.target_fps)
    ahead = 1 if schedule.skips else streams  # a frame that waits for the previous one uses all threads
    options: dict[str, Any] = {  # of both networks
        **where,
        "conf": networks.conf,
        "max_people": networks.max_people or None,
        "size": networks.detect_size or None,
        "streams": max(ahead, sources),
        "offline": networks.offline,
    }
    estimator = load_pose_estimator(model, dataset=networks.dataset, flip=networks.flip, **options)
    detector: Detector | None = None
    if not isinstance(estimator, SingleStagePoseEstimator):
        detector = load_detector(chosen, **options)
    elif chosen != Networks.detector:
        raise UsageError(
            f"{model} finds people and keypoints in one pass, so the detector '{chosen}' has no effect. Leave "
            "--detector out, or give another --model."
        )
    else:
        schedule = Schedule(tracking.pose_every, tracking.pose_every, target_fps=tracking.target_fps)  # one network
    warm_up()  # after the networks: numba's compiler and torch's tracer both swap Python's one list of warnings
    thresholds: dict[str, Any] = CALIBRATED if detector and chosen == "bundled" else {}
    tracker = PoseTracker(
        skeleton=estimator.skeleton, smooth=tracking.smooth, remember_seconds=tracking.remember, **thresholds
    )
    return Pipeline(
        detector,
        estimator,
        tracker,
        camera=CameraMotion(tracking.camera),
        schedule=schedule,
        activity=Activity(),
        streams=estimator.network.streams,
        recover=not isinstance(detector, FileDetector),  # the user's boxes are all that there are
    )
