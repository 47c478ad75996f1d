"""One person of a frame, with keypoints by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .equality import Comparable, equal


class State(StrEnum):
    """Source of a pose: measured in this frame, predicted by the motion model, or interpolated between frames."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    INTERPOLATED = "interpolated"


STATES = tuple(State)  # an array of states holds indices of these


class Keypoint(NamedTuple):
    """One keypoint in the image.

    Attributes:
        x: pixels from the left; NaN where missing.
        y: pixels from the top; NaN where missing.
        score: in [0, 1]; 0 where missing.
    """

    x: float
    y: float
    score: float


class Keypoints(Mapping[str, Keypoint]):
    """A person's keypoints by name, in the order of the skeleton: `person.keypoints["left_knee"].x`.

    Attributes:
        names: K of them.
        xy: (K, 2) pixels; NaN where missing.
        scores: (K,) in [0, 1]; 0 where missing.
    """

    __slots__ = ("names", "scores", "xy")

    def __init__(self, names: tuple[str, ...], xy: NDArray[np.floating], scores: NDArray[np.floating]) -> None:
        self.names, self.xy, self.scores = names, xy, scores

    def __getitem__(self, name: str) -> Keypoint:
        """Return the keypoint with this name.

        Raises:
            KeyError: the skeleton has no keypoint of that name.
        """
        k = keypoint_index(self.names, name)
        x, y = self.xy[k].tolist()
        return Keypoint(x, y, float(self.scores[k]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keypoints):
            return NotImplemented
        return self.names == other.names and equal(self.xy, other.xy) and equal(self.scores, other.scores)

    def __repr__(self) -> str:
        return f"Keypoints({', '.join(self.names)})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Person(Comparable):
    """One tracked person in one frame.

    Attributes:
        id: track ID, a positive integer.
        state: whether the pose was measured in this frame, predicted, or interpolated.
        score: the detector's confidence, in [0, 1].
        box: (4,) xyxy pixels.
        velocity: (2,) pixels per second, of the box's centre.
        keypoints: by name.
        keypoint_states: by name, the state of each keypoint; meaningless if the keypoint is missing.
    """

    id: int
    state: State
    score: float
    box: NDArray[np.floating]
    velocity: NDArray[np.floating]
    keypoints: Keypoints
    keypoint_states: Mapping[str, State]

    def __repr__(self) -> str:
        box = ", ".join(f"{value:.1f}" for value in self.box.tolist())
        return f"Person(id={self.id}, state={str(self.state)!r}, score={self.score:.2f}, box=[{box}])"

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python values, ready for JSON: a keypoint is [x, y, score], or None where missing."""
        keypoints = {name: None if math.isnan(point.x) else list(point) for name, point in self.keypoints.items()}
        return {
            "id": self.id,
            "state": str(self.state),
            "score": self.score,
            "box": self.box.tolist(),
            "velocity": self.velocity.tolist(),
            "keypoints": keypoints,
            "keypoint_states": {name: str(self.keypoint_states[name]) for name in keypoints if keypoints[name]},
        }


def keypoint_index(names: tuple[str, ...], name: str) -> int:
    """Return the index of a keypoint name.

    Raises:
        KeyError: the name is unknown; the message suggests the nearest one.
    """
    try:
        return names.index(name)
    except ValueError:
        near = get_close_matches(name, names, n=1) if isinstance(name, str) else []
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
        raise KeyError(f"There is no keypoint {name!r}. {hint}") from None
