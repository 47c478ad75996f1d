"""How long each stage of a run takes, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

STAGES = ("read", "detect", "pose", "track", "draw", "write")
_KEEP = 100_000  # the latest so many samples of a stage: 0.4 MB, about an hour of video


class Timings:
    """Milliseconds of each stage, one sample a frame."""

    def __init__(self) -> None:
        self._samples = {stage: np.zeros(256, dtype=np.float32) for stage in STAGES}
        self._counts = dict.fromkeys(STAGES, 0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the body as one sample of a stage."""
        started = time.perf_counter()
        yield
        self.add(name, (time.perf_counter() - started) * 1000)

    def add(self, name: str, milliseconds: float) -> None:
        """Record one sample of a stage."""
        samples, count = self._samples[name], self._counts[name]
        if count == len(samples) < _KEEP:
            self._samples[name] = samples = np.resize(samples, min(2 * count, _KEEP))
        samples[count % len(samples)] = milliseconds
        self._counts[name] = count + 1

    def summary(self) -> dict[str, dict[str, float]]:
        """Return the median and the 95th percentile in ms, and the number of samples, of every stage that ran."""
        result = {}
        for stage in STAGES:
            samples = self._samples[stage][: self._counts[stage]]
            if len(samples):
                median, p95 = np.percentile(samples, (50, 95))
                result[stage] = {"median": float(median), "p95": float(p95), "count": self._counts[stage]}
        return result
