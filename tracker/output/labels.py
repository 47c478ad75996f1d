"""Text next to each person's ID in the image: joint angles, or posture and event counts (`--label`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..features.angles import joint_angles
from ..features.events import Event, EventDetector
from ..features.stream import MIN_SCORE, ActionFeatures, Features
from ..types import Frame, Tracks

_JOINTS = ("knee", "hip", "elbow")


class AngleLabels:
    """Callable `(tracks) -> angles of knees, hips and elbows as text, left and right, by ID`.

    Args:
        actions: has processed these tracks; provides the view of each person.
    """

    def __init__(self, actions: ActionFeatures) -> None:
        self._actions = actions

    def __call__(self, tracks: Tracks) -> dict[int, str]:
        """Return the label of each person."""
        labels = {}
        keypoints = np.where((tracks.poses.scores >= MIN_SCORE)[..., None], tracks.poses.keypoints, np.nan)
        for identity, pose in zip(tracks.ids.tolist(), keypoints):
            angles = joint_angles(pose, skeleton=self._actions.skeleton, view=self._actions.view(identity))
            pairs = [(name, _degrees(angles[f"left_{name}"]), _degrees(angles[f"right_{name}"])) for name in _JOINTS]
            labels[identity] = "  ".join(f"{name} {left}/{right}" for name, left, right in pairs)
        return labels


class EventLabels:
    """Callable `(tracks) -> posture and number of each event so far as text, by ID`.

    Args:
        detector: has processed the features up to now.
    """

    def __init__(self, detector: EventDetector) -> None:
        self._detector = detector
        self._postures: dict[int, str] = {}

    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Store the postures of one frame."""
        self._postures = dict(zip(features.ids.tolist(), features.postures))

    def restart(self) -> None:
        """Forget all postures."""
        self._postures = {}

    def __call__(self, tracks: Tracks) -> dict[int, str]:
        """Return the label of each person."""
        labels = {}
        for identity in tracks.ids.tolist():
            counts = [f"{name.replace('_', ' ')} {count}" for name, count in self._detector.counts(identity).items()]
            labels[identity] = "  ".join(filter(None, [self._postures.get(identity, ""), *counts]))
        return labels


class LabelSink:
    """Make the labels of each frame when its tracks are written, and return them when it is drawn.

    Args:
        make: `(tracks) -> labels by ID`.
    """

    def __init__(self, make: Callable[[Tracks], dict[int, str]]) -> None:
        self._make = make
        self._labels: dict[int, dict[int, str]] = {}  # by the number of the frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restart()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Make the labels of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Make the labels of the frame with this number."""
        self._labels[index] = self._make(tracks)

    def restart(self) -> None:
        """Remove all labels."""
        self._labels.clear()

    def __call__(self, frame: Frame) -> dict[int, str]:
        """Return the labels of a frame, once."""
        return self._labels.pop(frame.index, {})


def _degrees(angle: NDArray[np.floating]) -> str:
    return "-" if np.isnan(angle) else f"{float(angle):.0f}"
