"""Asymmetry of the joints' ranges of motion over the last seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from ..kinematics.angles import JOINTS, unwrapped
from ..kinematics.points import Array
from ..kinematics.signals import asymmetry_index
from .columns import ASYMMETRY_SECONDS


class Asymmetry:
    """Compare the left and the right joints of people who are present."""

    def __init__(self) -> None:
        self._past: dict[int, deque[tuple[float, Array]]] = {}  # seconds and angles, in the order of the last frames

    def update(self, time: float, ids: Iterable[int], angles: Array) -> Array:
        """Process a frame.

        Args:
            time: seconds.
            ids: of N people.
            angles: (N, J) of `angles.JOINTS` in degrees; NaN where unknown.

        Returns:
            (N, J / 2) asymmetry index of each pair, percent (Robinson et al. 1987); NaN where unknown.
        """
        result = np.full((len(angles), len(JOINTS) // 2), np.nan)
        start = time - ASYMMETRY_SECONDS
        for row, (identity, joints) in enumerate(zip(ids, angles)):
            past = self._past[identity] = self._past.pop(identity, deque())
            past.append((time, joints))
            while past[0][0] < start:
                past.popleft()
            series = unwrapped(np.array([angles for _, angles in past]))  # (R, J)
            spans = np.fmax.reduce(series) - np.fmin.reduce(series)
            result[row] = asymmetry_index(*spans.reshape(-1, 2).T)
        while self._past and self._past[first := next(iter(self._past))][-1][0] < start:
            del self._past[first]  # who left
        return result

    def reset(self) -> None:
        """Forget all people."""
        self._past.clear()
