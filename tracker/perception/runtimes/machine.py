"""Inspect processor, GPU and installed backends without importing a heavy library."""

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
    """Hardware and installed packages, the input of `choice.choose`.

    Attributes:
        flags: CPU flags as Linux names them; empty if unknown.
        threads: number of threads that a network may use.
        gpu: accelerator that torch would find: `cuda`, `mps` or empty.
        installed: installed packages out of `torch`, `openvino`, `onnxruntime`.
    """

    flags: frozenset[str] = field(default_factory=frozenset)
    threads: int = 1
    gpu: str = ""
    installed: frozenset[str] = frozenset({"torch", "openvino"})


def this_machine() -> Machine:
    """Inspect the current machine."""
    return Machine(
        flags=flags(),
        threads=threads(),
        gpu=_gpu(),
        installed=frozenset(
            name for name in ("torch", "openvino", "onnxruntime") if name in sys.modules or util.find_spec(name)
        ),
    )


def threads() -> int:
    """Return the number of compute threads: $OMP_NUM_THREADS, or `cores`.

    The kernel would throttle more threads than a container's CPU quota.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(wanted) if wanted.isdigit() and int(wanted) else cores()


def describe_cpu(count: int) -> str:
    """Return the display name of the processor with this number of threads, such as `cpu (2 threads)`."""
    return f"cpu ({count} thread{'' if count == 1 else 's'})"


def cores() -> int:
    """Return the number of cores available to this process, by CPU affinity and container quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    given = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(given, _share(Path("/sys/fs/cgroup/cpu.max")))))


def free_memory() -> int:
    """Return the bytes of free memory, by the kernel and the container's limit; without /proc, no limit."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError):
        return sys.maxsize
    try:
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
        return min(free, limit - used)
    except (OSError, ValueError):  # no such file, or "max"
        return free


def _share(file: Path) -> float:
    """Return the CPU quota of a control group (version 2), in cores."""
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return math.inf


def flags() -> frozenset[str]:
    """Return the CPU flags as Linux names them; empty if unknown."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            return frozenset(next(line for line in file if line.startswith("flags")).split(":", 1)[1].split())
    except (OSError, StopIteration):
        return frozenset()


def _gpu() -> str:
    """Return the accelerator that torch could use; queries only the driver, because importing torch takes seconds."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else ""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return ""
    from importlib.metadata import PackageNotFoundError, version  # imported lazily, because it is slow

    try:
        if version("torch").endswith("+cpu"):
            return ""
    except PackageNotFoundError:
        return ""
    count = ctypes.c_int()
    there = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    return "cuda" if there else ""
