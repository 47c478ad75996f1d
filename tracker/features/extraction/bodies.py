"""Running estimates of each person's height, arms, lower foot and view, from one frame to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..calibration.scale import lower_foot
from ..kinematics import body
from ..kinematics.points import Array

_FACING_SECONDS = 0.3  # over which the cues of the view are averaged
_GROUND_SECONDS = 0.3  # over which the place of the feet is averaged, longer than a foot is in the air


class Estimates(NamedTuple):
    """Estimates of the N people of a frame.

    Attributes:
        heights: (N,) upright heights, pixels.
        arms: (N,) lengths of the arms, pixels.
        grounds: (N,) places of the lower foot, pixels from the top, or below the floor's line.
        breadths: (N,), see `quality.quality`.
        views: (N,) indices of `angles.VIEWS`.
    """

    heights: Array
    arms: Array
    grounds: Array
    breadths: Array
    views: NDArray[np.intp]


@dataclass(slots=True)
class _Person:
    height: float = np.nan
    arm: float = np.nan
    ground: float = np.nan
    cues: Array = field(default_factory=lambda: np.full(2, np.nan))
    view: int = 0
    seen: float = -np.inf  # seconds


class Bodies:
    """Estimate the bodies of tracked people.

    Args:
        view: index of `angles.VIEWS` that all people have; None estimates each person's view.
    """

    def __init__(self, view: int | None) -> None:
        self._view = view
        self._people: dict[int, _Person] = {}

    def update(self, time: float, ids: Sequence[int], points: Array) -> Estimates:
        """Process a frame.

        Args:
            time: seconds.
            ids: of N people.
            points: (N, P, 2) pixels; NaN where unknown.
        """
        people = [self._people.setdefault(identity, _Person()) for identity in ids]
        gaps = [max(time - person.seen, 0.0) for person in people]
        sizes = body.height(points).tolist(), body.arm_length(points).tolist(), body.is_upright(points).tolist()
        for person, gap, height, arm, upright in zip(people, gaps, *sizes):
            person.height = body.update_length(person.height, height, gap, trusted=upright)
            person.arm = body.update_length(person.arm, arm, gap, trusted=False)
        heights = np.array([person.height for person in people])
        lows, cues = lower_foot(points, heights).tolist(), body.facing(points, heights)
        for person, gap, low, cue in zip(people, gaps, lows, cues):
            if not np.isnan(low):
                person.ground = float(_averaged(person.ground, low, gap / _GROUND_SECONDS))
            person.cues = np.where(np.isnan(cue), person.cues, _averaged(person.cues, cue, gap / _FACING_SECONDS))
            person.view = body.view(person.cues, person.view) if self._view is None else self._view
            person.seen = time
        return Estimates(
            heights,
            np.array([person.arm for person in people]),
            np.array([person.ground for person in people]),
            np.array([np.nan_to_num(person.cues[1]) for person in people]),
            np.array([person.view for person in people], dtype=np.intp),
        )

    def view(self, identity: int) -> int:
        """Return the current view of a person, as an index of `angles.VIEWS`."""
        person = self._people.get(identity)
        return person.view if person else 0

    def forget(self, before: float) -> None:
        """Forget the people who were last seen before a time in seconds."""
        for identity in [identity for identity, person in self._people.items() if person.seen < before]:
            del self._people[identity]

    def reset(self) -> None:
        """Forget all people."""
        self._people.clear()


def _averaged(mean: float | Array, value: float | Array, elapsed: float) -> Array:
    """Return the exponential moving average after another value; `elapsed` is in time constants."""
    return np.where(np.isnan(mean), value, mean + (1 - np.exp(-elapsed)) * (np.asarray(value) - mean))
