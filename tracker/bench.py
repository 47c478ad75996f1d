"""The speed of a pipeline on frames in memory: warmed up, synchronised, with the machine it was measured on."""

from __future__ import annotations

import os
import platform
import time
from typing import Any

import numpy as np

from ..errors import SourceError
from .pipeline import Pipeline
from .timings import Timings
from .types import Frame


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


def machine() -> dict[str, str]:
    """Return what a figure depends on: processor, threads, versions, device."""
    import torch

    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
