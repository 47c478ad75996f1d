"""The speed of a pipeline on frames in memory, after a warm-up and with synchronisation."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...errors import SourceError
from ..pipeline import Pipeline
from ..types import Frame
from .machine import machine


def measure(pipeline: Pipeline, frames: list[Frame], *, warmup: int) -> dict[str, Any]:
    """Run a pipeline over frames and measure its speed.

    Each stage ends with its result on the CPU, so that its work on a GPU does not count in the next stage.

    Args:
        pipeline: pipeline to measure.
        frames: frames in temporal order.
        warmup: number of first frames that do not count.

    Returns:
        `fps`, `people` (mean per frame), `frames`, `size`, `stages` (median and p95 in ms) and `machine`.

    Raises:
        SourceError: there are no frames after the warm-up.
    """
    if len(frames) <= warmup:
        raise SourceError(f"The clip has {len(frames)} frames, but the warm-up takes {warmup}. Use a longer clip.")
    warm, measured = pipeline.session(), pipeline.session()
    for frame in frames[:warmup]:
        warm(frame)
    timings = measured.timings
    started = time.perf_counter()
    people = [len(measured(frame)) for frame in frames[warmup:]]
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
