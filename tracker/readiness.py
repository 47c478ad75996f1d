"""How soon a chain is ready and how much memory it takes: each in a process of its own, which tells it on a line.

python -m posetrack.tracker.readiness ours|plain DETECTOR POSE
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def measure(chain: str, detector: str | Path, pose: str | Path) -> dict[str, float]:
    """Start a process that loads a chain and lets it see one frame with one person.

    Args:
        chain: `ours` or `plain`.
        detector: its network, by name or file.
        pose: likewise.

    Returns:
        `ready`, seconds from the start of Python to the first answer, and `memory`, resident MB then.
    """
    started = time.time()
    command = [sys.executable, "-m", __name__, chain, str(detector), str(pose)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    end, memory = json.loads(told.splitlines()[-1])
    return {"ready": end - started, "memory": memory}


def _ours(detector: str, pose: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    from .pipeline import load_pipeline
    from .types import Detections, Frame

    pipeline = load_pipeline(pose, detector, "cpu", offline=True)
    return lambda image, boxes: (
        pipeline.detect(Frame(image, 0, 0.0)),
        pipeline(Frame(image, 0, 0.0), Detections(boxes, np.ones(len(boxes)))),
    )


def _plain(detector: str, pose: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    from .plain_chain import PlainChain

    return PlainChain(Path(detector), Path(pose))


def _resident() -> float:
    """Return the resident memory of this process in MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        import resource  # where there is no /proc; the most that it ever was

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return pages * 4096 / 2**20


if __name__ == "__main__":
    what, *files = sys.argv[1:]
    see = {"ours": _ours, "plain": _plain}[what](*files)
    see(np.full((720, 1280, 3), 90, np.uint8), np.array([[500.0, 100.0, 700.0, 600.0]]))
    sys.stdout.write(json.dumps([time.time(), _resident()]) + "\n")
