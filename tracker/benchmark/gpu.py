"""A device beside the processor: the same crops and keypoints, and whole runs with crops cut on either."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...models.geometry import crop
from ...models.geometry.processing import UDP, UDP_SHRUNK
from ..load import load_pipeline
from ..loop import track_frames
from ..perception.cropping import Cropper, ProcessorCropper
from ..perception.detector import load_detector
from ..perception.device_cropping import DeviceCropper
from ..perception.pose import TopDownPoseEstimator, load_pose_estimator
from ..pipeline import Pipeline
from ..stages import parallel
from ..types import Detections, Frame
from ..video.images.image import read_image
from ..video.open import open_source
from ..video.sample import PHOTOS, make_crowd
from .network import FRAME, cut_all, start
from .runs import Clock, KnownBoxes, with_networks

CERTAIN = 0.5  # score of the keypoints that are compared
_SIZE = (256, 192)  # (height, width) of the crops that are compared


def compare_crops(device: str) -> dict[str, dict[str, float]]:
    """Compare crops of the photographs, turned, of all sizes and partly outside, cut on a device and on the processor.

    Args:
        device: `cpu`, `cuda`, `cuda:N` or `mps`.

    Returns:
        By sampling, `bilinear` or `halved`: `mean` and `worst` difference of a crop in grey levels, and of a `pixel`.
    """
    figures = {}
    for name, processing in (("bilinear", UDP), ("halved", UDP_SHRUNK)):
        differences = []
        for image in _photographs():
            maps = _maps(image.shape[1::-1])
            theirs = cut_all(ProcessorCropper(processing, _SIZE), image, maps)
            ours = cut_all(DeviceCropper(device, processing, _SIZE), image, maps).cpu().numpy()
            levels = np.abs(ours - theirs) / np.reshape(crop.FACTORS, (3, 1, 1))
            differences.append([levels.mean(), levels.mean((1, 2, 3)).max(), levels.max()])
        mean, worst, pixel = np.array(differences).T
        figures[name] = {"mean": float(mean.mean()), "worst": float(worst.max()), "pixel": float(pixel.max())}
    return figures


def compare_keypoints(device: str) -> dict[str, dict[str, float]]:
    """Compare the bundled network's keypoints in the photographs with those of torch on the processor in fp32.

    Args:
        device: as in `compare_crops`.

    Returns:
        By precision and place of the crops: `median`, `p95` and `most`, distances of keypoints in per cent of the
        height of the person's box; `keypoints`, how many were compared.
    """
    detector = load_detector(device="cpu", runtime="torch", conf=0.5)
    reference: Any = load_pose_estimator(device="cpu", runtime="torch", precision="fp32")
    seen = [Frame(image, i, float(i)) for i, image in enumerate(_photographs())]
    batch = [(frame, detector(frame)) for frame in seen]
    figures = {}
    for precision in ("fp32", "auto"):
        loaded: Any = load_pose_estimator(device=device, runtime="torch", precision=precision)
        for place, estimator in _by_place(loaded, device).items():
            distances = np.concatenate([_distances(reference, estimator, *one) for one in batch])
            figures[f"{loaded.network.precision} ({precision}), crops on the {place}"] = {
                "median": float(np.median(distances)),
                "p95": float(np.percentile(distances, 95)),
                "most": float(distances.max()),
                "keypoints": float(len(distances)),
            }
    return figures


def measure_runs(
    models: Sequence[str], people: Sequence[int], *, device: str, folder: Path, frames: int, warmup: int
) -> Iterator[tuple[str, int, dict[str, dict[str, float]]]]:
    """Time whole runs over clips of 1920 x 1080, with the detector and known boxes.

    Args:
        models: pose networks: `bundled`, or others with random weights.
        people: numbers of people.
        device: as in `compare_crops`.
        folder: for clips and placeholders of weights.
        frames: number of frames to time.
        warmup: number of frames before them.

    Yields:
        Model, number of people, and by place of the crops: `fps` from file to tracks, decoding included and nothing
        written; `median` and `p95`, ms from a decoded frame to its tracks, one frame after the other; and the medians
        of the stages `detect`, `pose`, `camera` and `track`, ms.
    """
    base = load_pipeline(device=device, runtime="torch", offline=True)
    clips = {}
    for count in people:
        clip = folder / f"{count}.mp4"
        clips[count] = clip, make_crowd(clip, people=count, seconds=(frames + warmup) / 30, size=FRAME)
    for model in models:
        estimator: Any = base.estimator
        if model != "bundled":
            where = {"device": device, "runtime": "torch", "precision": base.estimator.network.precision}
            estimator = TopDownPoseEstimator(*start(model, folder / f"{model}.safetensors", **where), name=model)
        for count, (clip, boxes) in clips.items():
            detector = KnownBoxes(base.detector, boxes)
            figures = {}
            for place, own in _by_place(estimator, device).items():
                pipeline = with_networks(base, detector, own)
                latency = _latency(pipeline, clip, count=frames + warmup, warmup=warmup)
                figures[place] = {"fps": _fps(pipeline, clip, warmup), **latency}
            yield model, count, figures


def _by_place(estimator: TopDownPoseEstimator, device: str) -> dict[str, TopDownPoseEstimator]:
    """Return an estimator by the place where it cuts its crops."""
    conventions = estimator.processing, estimator.input_size
    croppers: dict[str, Cropper] = {
        "processor": ProcessorCropper(*conventions),
        "device": DeviceCropper(device, *conventions),
    }
    found = {}
    for place, cropper in croppers.items():
        found[place] = copy(estimator)
        found[place].cropper = cropper
    return found


def _fps(pipeline: Pipeline, clip: Path, warmup: int) -> float:
    """Return the frames per second from a file to tracks, with the threads of a run."""
    session, clock = pipeline.session(), Clock(warmup)
    threads = parallel(session.estimator.network)
    with open_source(clip) as source, track_frames(source, session, threads=threads) as people:
        for _, tracks in people:
            clock.tick(len(tracks))
    return 1000 / clock.stop().ms


def _latency(pipeline: Pipeline, clip: Path, *, count: int, warmup: int) -> dict[str, float]:
    """Return the times of frames in memory, one after the other, and of their stages."""
    with open_source(clip) as source:
        frames = list(islice(source, count))
    session, times = pipeline.session(), []
    for frame in frames[:warmup]:
        session(frame)
    session = pipeline.session()  # with separate timings
    for frame in frames[warmup:]:
        started = time.perf_counter()
        session(frame)
        times.append(1000 * (time.perf_counter() - started))
    stages = {stage: session.timings.percentile(stage, 50) for stage in session.timings.stages}
    return {"median": float(np.median(times)), "p95": float(np.percentile(times, 95)), **stages}


def _photographs() -> list[NDArray[np.uint8]]:
    return [read_image(PHOTOS / name) for name in ("bus.jpg", "zidane.jpg")]


def _maps(sides: tuple[int, ...], count: int = 64) -> NDArray[np.floating]:
    """Return maps (N, 2, 3) of regions in and around an image of these sides (width, height)."""
    rng = np.random.default_rng(0)
    heights = np.geomspace(0.1, 2, count)[:, None] * sides[1]
    centers, turns = rng.uniform(-0.1, 1.1, (count, 2)) * sides, rng.uniform(-0.8, 0.8, count)
    return UDP.matrices(centers, heights * (0.75, 1), input_size=_SIZE, rotations=turns)


def _distances(
    reference: TopDownPoseEstimator, estimator: TopDownPoseEstimator, frame: Frame, people: Detections
) -> NDArray[np.floating]:
    """Return how far the keypoints lie from the reference's where it is certain, per cent of the box's height."""
    theirs, ours = reference(frame, people), estimator(frame, people)
    distances = np.linalg.norm(ours.keypoints - theirs.keypoints, axis=2)
    heights = people.boxes[:, 3] - people.boxes[:, 1]
    return (100 * distances / heights[:, None])[theirs.scores > CERTAIN]
