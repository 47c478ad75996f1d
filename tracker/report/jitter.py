"""Jitter of keypoints: their distance from the line between their neighbours in time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEAR = 0.25  # largest time between neighbouring frames in seconds


class Jitter:
    """Measure the jitter of the people who are present."""

    def __init__(self) -> None:
        self._near: dict[int, list[tuple[float, NDArray[Any]]]] = {}  # up to two frames of each person

    def update(self, identity: int, time: float, keypoints: NDArray[Any] | None) -> float:
        """Add a frame of a person; return the median keypoint's distance in the frame before, pixels.

        Args:
            identity: of the track.
            time: seconds.
            keypoints: (K, 2) pixels, NaN where hidden; None if they are not measured.

        Returns:
            NaN without neighbours on both sides.
        """
        near = self._near.pop(identity, [])
        while self._near and time - self._near[first := next(iter(self._near))][-1][0] >= _NEAR:
            del self._near[first]  # who left; the dictionary is in the order of the last frames
        if keypoints is None:
            return math.nan
        self._near[identity] = [*near[-1:], (time, keypoints)]
        if len(near) < 2:
            return math.nan
        (t0, before), (t1, now) = near
        if not 0 < t1 - t0 < _NEAR or not 0 < time - t1 < _NEAR:
            return math.nan
        expected = before + (t1 - t0) / (time - t0) * (keypoints - before)
        distances = np.linalg.norm(now - expected, axis=-1)
        known = distances[np.isfinite(distances)]
        return float(np.median(known)) if len(known) else math.nan
