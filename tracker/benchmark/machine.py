"""The conditions of a measurement: machine, cores and memory."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from statistics import median

from ...version import __version__
from ..perception.runtimes.machine import threads


def machine() -> dict[str, str]:
    """Return processor, threads, versions and GPU of this machine."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads": str(threads()),
        "posetrack": __version__,
        "python": platform.python_version(),
    }
    for package in ("torch", "openvino", "onnxruntime", "opencv-python", "av", "numba"):
        with suppress(metadata.PackageNotFoundError):
            facts[package] = metadata.version(package)
    with suppress(ImportError):  # the bundled networks run without torch
        import torch

        if torch.cuda.is_available():
            facts["gpu"] = torch.cuda.get_device_name()
    return facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


@contextmanager
def one_core() -> Iterator[None]:
    """Pin all threads of this process to one core within the context, if the system supports it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    _move_to({max(before)})
    try:
        yield
    finally:
        _move_to(before)


def _move_to(cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)  # new threads inherit it
    for thread in Path("/proc/self/task").glob("*"):
        with suppress(ProcessLookupError):  # the thread ended
            os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def environment(**words: str) -> Iterator[None]:
    """Set environment variables within the context."""
    before = {word: os.environ.get(word) for word in words}
    os.environ.update(words)
    try:
        yield
    finally:
        for word, value in before.items():
            if value is None:
                del os.environ[word]
            else:
                os.environ[word] = value


def ceiling() -> float:
    """Return the speed-up of two threads over one at independent work, the upper bound of concurrent stages.

    Logical processors on one core, or other load on the machine, make it less than two.
    """
    work, gains = bytes(5_000_000), []
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(8):
                sha256(work)
            between = time.perf_counter()
            list(threads.map(sha256, [work] * 8))
            gains.append((between - start) / (time.perf_counter() - between))
    return median(gains)


def memory() -> tuple[float, float]:
    """Return the resident and the private memory of this process in MB."""
    try:
        rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        import resource  # without /proc, use the peak resident memory

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        return most, most
    facts = {line.split()[0]: line.split()[1] for line in rollup.splitlines()[1:]}
    return int(facts["Rss:"]) / 1024, int(facts["Private_Dirty:"]) / 1024
