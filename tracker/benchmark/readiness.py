"""How soon a chain is ready and how much memory it takes: each start is a process of its own, `first_answer`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median


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
    output: dict[str, list[dict[str, float]]] = {"plain chain": [], **{name: [] for name in ours}}
    for _ in range(rounds):
        output["plain chain"].append(measure("plain", detector, pose))
        for name, networks in ours.items():
            output[name].append(measure("ours", *networks, cache=folder / name))
    later = {name: {key: median(one[key] for one in own) for key in own[0]} for name, own in output.items()}
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
    command = [sys.executable, "-m", f"{__package__}.first_answer", chain, str(detector), str(pose)]
    place = {"POSETRACK_CACHE": str(cache), "NUMBA_CACHE_DIR": ""} if cache else {}
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | place).stdout
    end, memory, private = json.loads(output.splitlines()[-1])
    return {"ready": end - started, "memory": memory, "private": private}
