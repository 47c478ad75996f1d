"""What a client learns about one frame: the people in it, as JSON or as binary."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...models.geometry.keypoints import Skeleton
from ..features.events.detector import EventDetector
from ..features.extraction.stream import ActionFeatures
from ..features.kinematics.angles import JOINTS
from ..types import STATES, Frame, Tracks

HEADER = struct.Struct("<IHHHHd")  # frame, width, height, people N, keypoints K, seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """The people of one frame.

    Attributes:
        frame: number of the frame in its source.
        time: seconds.
        size: (width, height) of the frame, pixels.
        tracks: its people.
        details: angles, posture and counts of each person, by ID.
    """

    frame: int
    time: float
    size: tuple[int, int]
    tracks: Tracks
    details: Mapping[int, Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: keypoints are [x, y, score] in pixels, x and y null where missing."""
        tracks = self.tracks
        keypoints = np.round(np.dstack([tracks.keypoints, tracks.scores]), 2).astype(object)  # (N, K, 3)
        keypoints[np.isnan(tracks.keypoints).any(-1), :2] = None
        people = [
            {"id": identity, "state": str(state), "score": score, "box": box, "keypoints": points}
            | dict(self.details.get(identity, {}))
            for identity, state, score, box, points in zip(
                tracks.ids.tolist(),
                tracks.states,
                np.round(tracks.box_scores, 2).tolist(),
                np.round(tracks.boxes, 1).tolist(),
                keypoints.tolist(),
                strict=True,
            )
        ]
        return {"frame": self.frame, "time": round(self.time, 4), "size": self.size, "people": people}

    def to_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    def to_bytes(self) -> bytes:
        """Return `HEADER`, then for each person 7 + 3 K little-endian float32.

        They are ID, state (0 measured, 1 predicted, 2 interpolated), score, box (x1, y1, x2, y2), and x, y (NaN where
        missing), score of each keypoint.
        """
        tracks = self.tracks
        n, k = tracks.scores.shape
        states = np.array([STATES.index(state) for state in tracks.states], np.float32)
        lead = np.column_stack([tracks.ids, states, tracks.box_scores, tracks.boxes])  # (N, 7)
        points = np.dstack([tracks.keypoints, tracks.scores]).reshape(n, 3 * k)
        rows = np.hstack([lead, points]).astype("<f4")
        return HEADER.pack(self.frame, *self.size, n, k, self.time) + rows.tobytes()


class Answers:
    """Callable `(frame, tracks) -> Answer` for the frames of one source, in order.

    Args:
        skeleton: of the keypoints.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self._actions = ActionFeatures(skeleton=skeleton)
        self._events = EventDetector(self._actions)
        self._postures: dict[int, str] = {}

    def __call__(self, frame: Frame, tracks: Tracks) -> Answer:
        """Return the answer to one frame."""
        for features in self._actions.update(frame.index, frame.time, tracks):
            self._events.update(features)
            self._postures = dict(zip(features.ids.tolist(), features.postures))
        height, width = frame.image.shape[:2]
        details = {
            identity: {
                "angles": {name: round(float(angles[name]), 1) for name in JOINTS if np.isfinite(angles[name])},
                "posture": self._postures.get(identity, ""),
                "counts": self._events.counts(identity),
            }
            for identity, angles in self._actions.angles(tracks).items()
        }
        return Answer(frame.index, frame.time, (width, height), tracks, details)
