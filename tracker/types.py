"""The words of the flow: Frame -> Detections -> Poses -> Tracks. Each holds arrays of one whole frame.

Pixels are those of the displayed frame, x before y, origin at the top left. A keypoint that is missing is NaN with
score 0, never a silent zero. Empty arrays take the same path as full ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class State(StrEnum):
    """Where a track's pose of this frame comes from."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    INTERPOLATED = "interpolated"


def _array(owner: Any, name: str, value: ArrayLike, shape: tuple[int | None, ...], dtype: Any = np.float32) -> None:
    """Convert one field, check its shape (None stands for any length) and store it."""
    array = np.asarray(value, dtype=dtype)
    if array.ndim != len(shape) or any(want is not None and got != want for got, want in zip(array.shape, shape)):
        expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{type(owner).__name__}.{name} has shape {array.shape}; give an array of shape {expected}.")
    object.__setattr__(owner, name, array)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the source.

    Attributes:
        image: (H, W, 3) BGR uint8, upright.
        index: its number in the source, from 0; frames that are lost, dropped or before a start are counted, too.
        time: seconds, the source's own presentation timestamp (a camera's: seconds since its first frame).
        captured: when it came in, in seconds of `time.monotonic()`; None where the source is a file.
    """

    image: NDArray[np.uint8]
    index: int
    time: float
    captured: float | None = None


@dataclass(frozen=True, slots=True)
class Detections:
    """People found in one frame.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        scores: (N,) in [0, 1].
    """

    boxes: NDArray[np.floating]
    scores: NDArray[np.floating]

    def __post_init__(self) -> None:
        _array(self, "boxes", self.boxes, (None, 4))
        _array(self, "scores", self.scores, (len(self.boxes),))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> Detections:
        """Select people by an index array, a mask or a slice."""
        return Detections(self.boxes[rows], self.scores[rows])

    @classmethod
    def empty(cls) -> Detections:
        """Return a frame with nobody."""
        return cls(np.zeros((0, 4)), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Poses:
    """People with their keypoints in one frame.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) in [0, 1]; 0 where missing.
        box_scores: (N,) in [0, 1], the detector's confidence; 1 when left out.
        features: (N, D), how each person looks, of length 1: people alike have a large product; D is 0 when left out.
    """

    boxes: NDArray[np.floating]
    keypoints: NDArray[np.floating]
    scores: NDArray[np.floating]
    box_scores: NDArray[np.floating] = None  # type: ignore[assignment]  # filled with ones below
    features: NDArray[np.floating] = None  # type: ignore[assignment]  # filled below

    def __post_init__(self) -> None:
        _array(self, "boxes", self.boxes, (None, 4))
        _array(self, "keypoints", self.keypoints, (len(self.boxes), None, 2))
        _array(self, "scores", self.scores, self.keypoints.shape[:2])
        given = np.ones(len(self.boxes)) if self.box_scores is None else self.box_scores
        _array(self, "box_scores", given, (len(self.boxes),))
        looks = np.zeros((len(self.boxes), 0)) if self.features is None else self.features
        _array(self, "features", looks, (len(self.boxes), None))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> Poses:
        """Select people by an index array, a mask or a slice."""
        fields = self.boxes, self.keypoints, self.scores, self.box_scores, self.features
        return Poses(*(field[rows] for field in fields))

    @classmethod
    def empty(cls, num_keypoints: int = 17) -> Poses:
        """Return a frame with nobody."""
        return cls(np.zeros((0, 4)), np.zeros((0, num_keypoints, 2)), np.zeros((0, num_keypoints)))


@dataclass(frozen=True, slots=True)
class Tracks:
    """The people of one frame who have an identity.

    Attributes:
        ids: (N,) positive integers; they belong to the tracker instance and are never used twice.
        poses: N people, smoothed as the tracker was told to.
        velocities: (N, 2) pixels per second of the box's centre.
        states: N values of `State`: the pose was measured in this frame, predicted by the motion model, or
            interpolated between the frames before and after.
        others: (M, 4) boxes of people who were seen but have no identity yet; M is 0 when left out.
        new_scene: whether this is the first frame of a scene, after a hard cut too: nobody was there before.
    """

    ids: NDArray[np.integer]
    poses: Poses
    velocities: NDArray[np.floating]
    states: tuple[State, ...]
    others: NDArray[np.floating] = None  # type: ignore[assignment]  # filled below
    new_scene: bool = False

    def __post_init__(self) -> None:
        n = len(self.poses)
        _array(self, "others", np.zeros((0, 4)) if self.others is None else self.others, (None, 4))
        _array(self, "ids", self.ids, (n,), np.int64)
        _array(self, "velocities", self.velocities, (n, 2))
        if len(self.states) != n:
            raise ValueError(f"Tracks.states has {len(self.states)} values for {n} people; give one for each.")

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Any) -> Tracks:
        """Select people by an index array, a mask or a slice."""
        chosen = np.arange(len(self))[np.asarray(rows) if isinstance(rows, list) and rows else rows]
        states = tuple(self.states[row] for row in chosen.tolist())
        poses, velocities = self.poses[chosen], self.velocities[chosen]
        return Tracks(self.ids[chosen], poses, velocities, states, self.others, self.new_scene)

    @classmethod
    def empty(cls, num_keypoints: int = 17) -> Tracks:
        """Return a frame with nobody."""
        return cls(np.zeros(0, np.int64), Poses.empty(num_keypoints), np.zeros((0, 2)), ())
