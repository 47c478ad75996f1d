"""Notes beside people's ids on the picture: their joint angles now, or their posture and what they did so far."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..features.angles import joint_angles
from ..features.events import EventDetector
from ..features.stream import MIN_SCORE, ActionFeatures
from ..types import Frame, Tracks

Notes = Callable[[Frame, Tracks], dict[int, str]]  # to the texts by id

_SHOWN = ("knee", "hip", "elbow")


class AngleNotes:
    """Tell the angles of knees, hips and elbows, left and right, of this very frame.

    Args:
        actions: tells which way people face.
    """

    def __init__(self, actions: ActionFeatures) -> None:
        self._actions = actions

    def __call__(self, frame: Frame, tracks: Tracks) -> dict[int, str]:
        """Return each person's note."""
        self._actions.update(frame.index, frame.time, tracks)
        notes = {}
        seen = np.where((tracks.poses.scores >= MIN_SCORE)[..., None], tracks.poses.keypoints, np.nan)
        for identity, pose in zip(tracks.ids.tolist(), seen):
            found = joint_angles(pose, skeleton=self._actions.skeleton, view=self._actions.view(identity))
            told = [(name, _whole(found[f"left_{name}"]), _whole(found[f"right_{name}"])) for name in _SHOWN]
            notes[identity] = "  ".join(f"{name} {left}/{right}" for name, left, right in told)
        return notes


class EventNotes:
    """Tell postures, and how many of each event there were.

    Args:
        actions: computes the features.
        detector: finds the events.
    """

    def __init__(self, actions: ActionFeatures, detector: EventDetector) -> None:
        self._actions, self._detector = actions, detector
        self._postures: dict[int, str] = {}

    def __call__(self, frame: Frame, tracks: Tracks) -> dict[int, str]:
        """Return each person's note."""
        for features in self._actions.update(frame.index, frame.time, tracks):
            self._detector.update(features)
            self._postures = dict(zip(features.ids.tolist(), features.postures))
        notes = {}
        for identity in tracks.ids.tolist():
            counts = [f"{name.replace('_', ' ')} {count}" for name, count in self._detector.counts(identity).items()]
            notes[identity] = "  ".join(filter(None, [self._postures.get(identity, ""), *counts]))
        return notes


def _whole(angle: NDArray[np.floating]) -> str:
    return "-" if np.isnan(angle) else f"{float(angle):.0f}"


def make_notes(label: str, actions: ActionFeatures, detector: EventDetector) -> Notes | None:
    """Return the notes of `--label`: None for "id", which needs none."""
    return {"id": None, "angles": AngleNotes(actions), "events": EventNotes(actions, detector)}[label]
