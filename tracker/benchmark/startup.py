"""Start-up time and memory of pipelines; each start is a new process that runs `first_frame`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median


def starts(detector: Path, pose: Path, *, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Start the baseline and posetrack, with the baseline's networks and with the bundled ones, in turns.

    Args:
        detector: file of the baseline's detector.
        pose: file of the baseline's pose network.
        folder: folder for posetrack's caches, empty at first.
        rounds: number of starts of each.

    Returns:
        The medians of `measure` by pipeline. Posetrack's starts use the cache of converted networks and the compiled
        tracker; `..., first start` is the one that filled the cache.
    """
    ours: dict[str, tuple[str | Path, str | Path]] = {
        "same networks": (detector, pose),
        "bundled": ("bundled", "bundled"),
    }
    cold = {f"{name}, first start": measure("ours", *networks, cache=folder / name) for name, networks in ours.items()}
    output: dict[str, list[dict[str, float]]] = {"naive pipeline": [], **{name: [] for name in ours}}
    for _ in range(rounds):
        output["naive pipeline"].append(measure("naive", detector, pose))
        for name, networks in ours.items():
            output[name].append(measure("ours", *networks, cache=folder / name))
    later = {name: {key: median(one[key] for one in own) for key in own[0]} for name, own in output.items()}
    return later | cold


def measure(pipeline: str, detector: str | Path, pose: str | Path, *, cache: Path | None = None) -> dict[str, float]:
    """Start a process that loads a pipeline and processes one frame with one person.

    Args:
        pipeline: `ours` or `naive`.
        detector: name or file of the detector.
        pose: name or file of the pose network.
        cache: folder for converted networks and compiled code; None for the user's cache.

    Returns:
        `ready`, seconds from the start of Python to the first result; `memory` and `private`, resident and private
        dirty memory in MB.
    """
    started = time.time()
    command = [sys.executable, "-m", f"{__package__}.first_frame", pipeline, str(detector), str(pose)]
    place = {"POSETRACK_CACHE": str(cache), "NUMBA_CACHE_DIR": ""} if cache else {}
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | place).stdout
    end, memory, private = json.loads(output.splitlines()[-1])
    return {"ready": end - started, "memory": memory, "private": private}
