"""The speed of a pipeline on frames in memory: warmed up, synchronised, with the machine it was measured on."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...errors import SourceError
from ..pipeline import Pipeline
from ..timings import Timings
from ..types import Frame
from .machine import machine


def measure(pipeline: Pipeline, frames: list[Frame], *, warmup: int) -> dict[str, Any]:
    """Run a pipeline over frames and return its figures.

    Every stage ends with its result on the CPU, so no stage's work on a GPU is counted in the next one.

    Args:
        pipeline: what to measure.
        frames: in the order of their time.
        warmup: how many of the first frames are not counted.

    Returns:
        `fps`, `people` (mean a frame), `stages` (median and p95 in ms) and `machine`.
    """
    if len(frames) <= warmup:
        raise SourceError(f"The clip has {len(frames)} frames, but {warmup} are for warming up. Use a longer clip.")
    for frame in frames[:warmup]:
        pipeline(frame)
    pipeline.timings = timings = Timings()
    started = time.perf_counter()
    people = [len(pipeline(frame)) for frame in frames[warmup:]]
    elapsed = time.perf_counter() - started
    return {
        "fps": len(people) / elapsed,
        "people": float(np.mean(people)),
        "frames": len(people),
        "size": list(frames[0].image.shape[1::-1]),
        "stages": {
            stage: {"median": timings.percentile(stage, 50), "p95": timings.percentile(stage, 95)}
            for stage in timings.stages
        },
        "machine": machine(),
    }
