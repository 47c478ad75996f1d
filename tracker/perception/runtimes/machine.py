"""What this machine offers to a network, found without loading one of the large libraries."""

from __future__ import annotations

import ctypes
import math
import os
import platform
import sys
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """What `choice.choose` decides by.

    Attributes:
        flags: of the processor, as Linux names them; empty where it does not say.
        threads: that a network may use.
        gpu: `cuda`, `mps` or empty: what torch would find.
        installed: of `torch`, `openvino`, `onnxruntime`.
    """

    flags: frozenset[str] = field(default_factory=frozenset)
    threads: int = 1
    gpu: str = ""
    installed: frozenset[str] = frozenset({"torch", "openvino"})


def this_machine() -> Machine:
    """Look at the machine that this runs on."""
    return Machine(
        flags=flags(),
        threads=threads(),
        gpu=_gpu(),
        installed=frozenset(
            name for name in ("torch", "openvino", "onnxruntime") if name in sys.modules or util.find_spec(name)
        ),
    )


def threads() -> int:
    """Return how many threads to compute with: $OMP_NUM_THREADS, or `cores`.

    More threads than a container's share would be stopped in the middle of their work.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(wanted) if wanted.isdigit() and int(wanted) else cores()


def cores() -> int:
    """Return how many cores this process was given, by its affinity and by a container's share."""
    affinity = getattr(os, "sched_getaffinity", None)
    given = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(given, _share(Path("/sys/fs/cgroup/cpu.max")))))


def _share(file: Path) -> float:
    """Return the cores that a control group (version 2) leaves to this process."""
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return math.inf


def flags() -> frozenset[str]:
    """Return the flags of the processor, as Linux names them; empty where it does not say."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            return frozenset(next(line for line in file if line.startswith("flags")).split(":", 1)[1].split())
    except (OSError, StopIteration):
        return frozenset()


def _gpu() -> str:
    """Name the accelerator that torch could use; only the driver is asked, torch itself takes seconds to load."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else ""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return ""
    from importlib.metadata import PackageNotFoundError, version  # takes longer to load than most of a start

    try:
        if version("torch").endswith("+cpu"):
            return ""
    except PackageNotFoundError:
        return ""
    count = ctypes.c_int()
    there = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    return "cuda" if there else ""
