"""Whole runs from video file to video file, alternating, so that other load affects all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..loop import loop
from ..output.sinks import OverlaySink, Sinks
from ..pipeline import Pipeline
from ..types import Detections, Frame
from ..video.open import open_source
from ..video.writer import open_writer


@dataclass(frozen=True, slots=True)
class Run:
    """Timing of a run.

    Attributes:
        ms: mean time per frame in ms, including the flush of the output at the end.
        frames: times between the outputs of consecutive frames in ms.
        people: mean number of people per frame.
        stages: total ms of each stage, with the warm-up; empty if they were not measured.
    """

    ms: float
    frames: list[float]
    people: float
    stages: Mapping[str, float] = field(default_factory=dict)


class Clock:
    """Records the time of each frame's output; the first frames are a warm-up and do not count."""

    def __init__(self, warmup: int) -> None:
        self._warmup, self._times = warmup, [time.perf_counter()]
        self._people: list[int] = []

    def tick(self, people: int) -> None:
        """Count a frame."""
        self._times.append(time.perf_counter())
        self._people.append(people)

    def stop(self) -> Run:
        """Return the timing; call it after all outputs are closed."""
        times, people = self._times[self._warmup :], self._people[self._warmup :]
        elapsed = time.perf_counter() - times[0]
        return Run(1000 * elapsed / max(len(people), 1), (1000 * np.diff(times)).tolist(), float(np.mean(people)))


def ours(pipeline: Pipeline, source: Path, save: Path, *, end: float, warmup: int, threads: bool) -> Run:
    """Run posetrack on a clip as `posetrack --source CLIP --save FILE` does.

    Args:
        pipeline: its networks are used by a separate session.
        source: the clip.
        save: file of the annotated video.
        end: time in the clip at which to stop, seconds.
        warmup: number of first frames that do not count.
        threads: whether the stages run concurrently.
    """
    session, clock = pipeline.session(), Clock(warmup)
    timings = session.timings
    with open_source(source, end=end) as frames:
        writer = open_writer(save, size=frames.size, fps=frames.fps, overwrite=True)
        overlay = OverlaySink(writer, skeleton=session.estimator.skeleton, timings=timings)
        with Sinks(overlay, timings=timings) as sinks:
            loop(frames, session, sinks, clock.tick, threads=threads)
    return replace(clock.stop(), stages={stage: timings.total(stage) for stage in timings.stages})


def naive(
    pipeline: Callable[[NDArray[np.uint8], NDArray[np.floating]], NDArray[np.uint8]],
    boxes: NDArray[np.floating],
    source: Path,
    save: Path,
    *,
    frames: int,
    warmup: int,
) -> Run:
    """Run the baseline on a clip, with OpenCV's reader and writer.

    Args:
        pipeline: maps an image and its boxes to the annotated image.
        boxes: (F, N, 4) xyxy pixels.
        source: the clip.
        save: file of the annotated video.
        frames: number of frames to process.
        warmup: number of first frames that do not count.
    """
    clock, reader = Clock(warmup), cv2.VideoCapture(str(source))
    size = int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(save), cv2.VideoWriter.fourcc(*"mp4v"), reader.get(cv2.CAP_PROP_FPS), size)
    for index in range(frames):
        _, image = reader.read()
        writer.write(pipeline(image, boxes[index]))
        clock.tick(len(boxes[index]))
    writer.release()
    reader.release()
    return clock.stop()


class KnownBoxes:
    """Run a detector but return given boxes, so that a network with random weights finds people too."""

    def __init__(self, detector: Any, boxes: NDArray[np.floating]) -> None:
        self._detector, self._boxes = detector, boxes
        self.name, self.sha256 = "known boxes", ""

    @property
    def network(self) -> Any:
        """Inference backend of the wrapped detector."""
        return self._detector.network

    @network.setter
    def network(self, network: Any) -> None:
        self._detector = copy(self._detector)  # others may use it, too
        self._detector.network = network

    def __call__(self, frame: Frame) -> Detections:
        """Run the detector and return the given boxes of the frame's index."""
        self._detector(frame)
        return Detections(self._boxes[frame.index], np.ones(self._boxes.shape[1]))


class TimedNetwork:
    """A network that sums up its time.

    Attributes:
        ms: total time of all batches.
    """

    def __init__(self, network: Any) -> None:
        self._network, self.ms = network, 0.0

    def __call__(self, images: NDArray[np.float32]) -> Any:
        """Run a batch."""
        started = time.perf_counter()
        result = self._network(images)
        self.ms += 1000 * (time.perf_counter() - started)
        return result


def with_networks(pipeline: Pipeline, detector: Any, estimator: Any) -> Pipeline:
    """Return a new pipeline that differs in its networks only."""
    names = "tracker", "camera", "schedule", "activity", "streams", "recover"
    parts: dict[str, Any] = {name: getattr(pipeline, name) for name in names}
    return Pipeline(detector, estimator, **parts).session()


def shares(pipeline: Pipeline, run: Callable[[Pipeline], Run]) -> dict[str, float]:
    """Run a pipeline once, one stage after the other, and return the shares of its time.

    Returns:
        Shares of the total time: `networks`; `video`, decoding and encoding with colour conversion; `rest`.
    """
    timed: list[TimedNetwork] = []

    def with_clock(part: Any) -> Any:
        if part is None or not part.network:
            return part
        timed.append(TimedNetwork(part.network))
        part = copy(part)
        part.network = timed[-1]
        return part

    stages = run(with_networks(pipeline, with_clock(pipeline.detector), with_clock(pipeline.estimator))).stages
    whole = sum(stages.values())
    networks, video = sum(network.ms for network in timed) / whole, (stages["read"] + stages["write"]) / whole
    return {"networks": networks, "video": video, "rest": 1 - networks - video}


def in_turns(pipelines: Mapping[str, Callable[[], Run]], *, rounds: int) -> dict[str, dict[str, float]]:
    """Run each pipeline once per round.

    Args:
        pipelines: each by its name; the first one is the reference.
        rounds: number of rounds.

    Returns:
        By name: `median` over the rounds in ms per frame, `p95` over frames in ms, mean `people` per frame, and
        `ratio`, the median over the rounds of the reference's time divided by its own; above 1 is faster.
    """
    runs: dict[str, list[Run]] = {name: [] for name in pipelines}
    for _ in range(rounds):
        for name, pipeline in pipelines.items():
            runs[name].append(pipeline())
    first = np.array([run.ms for run in next(iter(runs.values()))])
    return {
        name: {
            "median": float(np.median([run.ms for run in own])),
            "p95": float(np.percentile(np.concatenate([run.frames for run in own]), 95)),
            "people": float(np.mean([run.people for run in own])),
            "ratio": float(np.median(first / [run.ms for run in own])),
        }
        for name, own in runs.items()
    }
