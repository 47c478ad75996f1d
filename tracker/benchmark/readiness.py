"""How soon a chain is ready and how much memory it takes: each start in a process of its own, which tells it on a line.

python -m posetrack.tracker.benchmark.readiness ours|plain DETECTOR POSE
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from .machine import memory


def starts(detector: Path, pose: Path, *, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Start the plain chain and ours, with its networks and with the bundled ones, in turns.

    Args:
        detector: the plain chain's network, by file.
        pose: likewise.
        folder: where the caches of our starts are to be; none are there yet.
        rounds: how many starts of each.

    Returns:
        By chain the medians of `measure`. A start of ours is a later one on this machine, which finds its networks
        converted and its tracker compiled; `..., first start` is the one that did that.
    """
    ours: dict[str, tuple[str | Path, str | Path]] = {
        "same networks": (detector, pose),
        "bundled": ("bundled", "bundled"),
    }
    cold = {f"{name}, first start": measure("ours", *networks, cache=folder / name) for name, networks in ours.items()}
    told: dict[str, list[dict[str, float]]] = {"plain chain": [], **{name: [] for name in ours}}
    for _ in range(rounds):
        told["plain chain"].append(measure("plain", detector, pose))
        for name, networks in ours.items():
            told[name].append(measure("ours", *networks, cache=folder / name))
    later = {name: {key: median(one[key] for one in own) for key in own[0]} for name, own in told.items()}
    return later | cold


def measure(chain: str, detector: str | Path, pose: str | Path, *, cache: Path | None = None) -> dict[str, float]:
    """Start a process that loads a chain and lets it see one frame with one person.

    Args:
        chain: `ours` or `plain`.
        detector: its network, by name or file.
        pose: likewise.
        cache: where it keeps what it converts and compiles; the user's folder when left out.

    Returns:
        `ready`, seconds from the start of Python to the first answer; then, in MB, `memory`, all that is resident, and
        `private`, what of it no other process shares and no file can give back.
    """
    started = time.time()
    command = [sys.executable, "-m", __name__, chain, str(detector), str(pose)]
    place = {"POSETRACK_CACHE": str(cache)} if cache else {}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | place).stdout
    end, memory, private = json.loads(told.splitlines()[-1])
    return {"ready": end - started, "memory": memory, "private": private}


def _ours(detector: str, pose: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    from ..pipeline import load_pipeline
    from ..types import Detections, Frame

    pipeline = load_pipeline(pose, detector, "cpu", offline=True)
    return lambda image, boxes: (
        pipeline.detect(Frame(image, 0, 0.0)),
        pipeline(Frame(image, 0, 0.0), Detections(boxes, np.ones(len(boxes)))),
    )


def _plain(detector: str, pose: str) -> Callable[[np.ndarray, np.ndarray], Any]:
    from .plain_chain import PlainChain

    return PlainChain(Path(detector), Path(pose))


if __name__ == "__main__":
    what, *files = sys.argv[1:]
    see = {"ours": _ours, "plain": _plain}[what](*files)
    see(np.full((720, 1280, 3), 90, np.uint8), np.array([[500.0, 100.0, 700.0, 600.0]]))
    sys.stdout.write(json.dumps([time.time(), *memory()]) + "\n")
