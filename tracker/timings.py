"""Times of the stages of a run, in bounded memory, and its frame rate."""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

STAGES = ("read", "detect", "pose", "camera", "track", "draw", "write")
LATENCY = "latency"  # from the capture of a live frame to the end of its "write"
KEPT_SAMPLES = 100_000  # newest samples per stage: an hour at 30 fps, 400 kB


class Timings:
    """Milliseconds of every stage, in bounded memory.

    Stages may nest; each counts only its own time, so their sum is the time of the frame. Stages may run in parallel
    threads; their sum then exceeds the wall time per frame.
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._samples: dict[str, array[float]] = {}
        self._counts: dict[str, int] = {}
        self._adding = threading.Lock()
        self._open = threading.local()  # .inner: seconds spent in nested stages, one value for each open stage

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block; nothing is recorded if it raises."""
        inner = self._open.__dict__.setdefault("inner", [])
        start = self._clock()
        inner.append(0.0)
        worked = False
        try:
            yield
            worked = True
        finally:
            elapsed = self._clock() - start
            own = elapsed - inner.pop()
            if inner:
                inner[-1] += elapsed
            if worked:
                self.add(name, own * 1000)

    def add(self, name: str, ms: float) -> None:
        """Add milliseconds that were measured elsewhere."""
        with self._adding:
            samples = self._samples.setdefault(name, array("f"))
            count = self._counts.get(name, 0)
            if count < KEPT_SAMPLES:
                samples.append(ms)
            else:
                samples[count % KEPT_SAMPLES] = ms
            self._counts[name] = count + 1

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that ran, in the order of the flow."""
        return tuple(s for s in STAGES if s in self._samples) + tuple(s for s in self._samples if s not in STAGES)

    def total(self, name: str) -> float:
        """Return the sum of a stage's milliseconds, of the kept samples."""
        return float(np.frombuffer(self._samples[name], dtype=np.float32).sum())

    def percentile(self, name: str, percent: float) -> float:
        """Return a percentile of a stage's milliseconds."""
        return float(np.percentile(np.frombuffer(self._samples[name], dtype=np.float32), percent))


class FrameRate:
    """Frames per second, averaged over about one second."""

    def __init__(self, *, window: float = 1.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._window = window
        self._clock = clock
        self._ticks: deque[float] = deque()

    def tick(self) -> float | None:
        """Count one frame and return the rate; None after the first frame."""
        now = self._clock()
        self._ticks.append(now)
        while len(self._ticks) > 2 and now - self._ticks[0] > self._window:
            self._ticks.popleft()
        elapsed = now - self._ticks[0]
        return (len(self._ticks) - 1) / elapsed if elapsed > 0 else None
