"""Load a pipeline, process one frame with one person, and print the time of the result and the memory as JSON.

python -m posetrack.tracker.benchmark.first_frame ours|naive DETECTOR POSE
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def _ours(detector: str, pose: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    from ..load import load_pipeline
    from ..types import Detections, Frame

    pipeline = load_pipeline(pose, detector, "cpu", offline=True)
    return lambda image, boxes: (
        pipeline.detect(Frame(image, 0, 0.0)),
        pipeline(Frame(image, 0, 0.0), Detections(boxes, np.ones(len(boxes)))),
    )


def _naive(detector: str, pose: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    from .naive_pipeline import NaivePipeline

    return NaivePipeline(Path(detector), Path(pose))


if __name__ == "__main__":
    what, *files = sys.argv[1:]
    answer = {"ours": _ours, "naive": _naive}[what](*files)
    answer(np.full((720, 1280, 3), 90, np.uint8), np.array([[500.0, 100.0, 700.0, 600.0]]))
    answered = time.time()

    from .machine import memory  # imported after the measurement, so that it does not count

    sys.stdout.write(json.dumps([answered, *memory()]) + "\n")
