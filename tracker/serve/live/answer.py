"""What a client learns about one frame: the people in it, as JSON or as binary."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ....models.geometry.keypoints import Skeleton
from ...features.events.detector import EventDetector
from ...features.events.regions import Line, Zone
from ...features.events.zones import ZoneCounter
from ...features.extraction.features import Features
from ...features.extraction.stream import ActionFeatures
from ...features.kinematics.angles import JOINTS
from ...types import STATES, Frame, Tracks
from ..web.scene import EMPTY, Scene

Format = Literal["json", "binary"]
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
        places: counts of each region and line, by name.
    """

    frame: int
    time: float
    size: tuple[int, int]
    tracks: Tracks
    details: Mapping[int, Mapping[str, Any]]
    places: Mapping[str, Mapping[str, Any]]

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
        answer = {"frame": self.frame, "time": round(self.time, 4), "size": self.size, "people": people}
        return answer | ({"places": self.places} if self.places else {})

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
    """Callable `(frame, tracks, scene) -> Answer` for the frames of one source, in order.

    Args:
        skeleton: of the keypoints.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self._skeleton = skeleton
        self._counters: dict[Zone | Line, ZoneCounter] = {}
        self._named: dict[str, Zone | Line] = {}
        self._lately: dict[int, dict[str, Any]] = {}  # what is known some frames late, by ID
        self._scene: Scene | None = None

    def __call__(self, frame: Frame, tracks: Tracks, scene: Scene = EMPTY) -> Answer:
        """Return the answer to one frame."""
        if scene is not self._scene:
            self._mark(scene)
        for counter in self._counters.values():
            counter.update(frame.index, frame.time, tracks)
        for features in self._actions.update(frame.index, frame.time, tracks):
            self._events.update(features)
            self._lately = _lately(features)
        height, width = frame.image.shape[:2]
        details = {
            identity: {
                "angles": {name: round(float(angles[name]), 1) for name in JOINTS if np.isfinite(angles[name])},
                "posture": "",
                "counts": self._events.counts(identity),
            }
            | self._lately.get(identity, {})
            for identity, angles in self._actions.angles(tracks).items()
        }
        places = {name: _counts(place, self._counters[place]) for name, place in self._named.items()}
        return Answer(frame.index, frame.time, (width, height), tracks, details, places)

    def _mark(self, scene: Scene) -> None:
        """Take a new scene; places that were there before, under any name, keep their counts."""
        if self._scene is None or scene.calibration != self._scene.calibration:
            self._actions = ActionFeatures(skeleton=self._skeleton, calibration=scene.calibration)
            self._events = EventDetector(self._actions)
            self._lately = {}
        before, self._counters, self._named = self._counters, {}, {}
        for place in scene.places:
            unnamed = replace(place, name="")  # another name does not start the counts again
            self._named[place.name] = unnamed
            self._counters[unnamed] = before.get(unnamed) or ZoneCounter([unnamed], skeleton=self._skeleton)
        self._scene = scene


def _lately(features: Features) -> dict[int, dict[str, Any]]:
    """Return what is known of each person some frames late: posture, and height and speed if the scale is known."""
    found: dict[int, dict[str, Any]] = {
        identity: {"posture": posture} for identity, posture in zip(features.ids.tolist(), features.postures)
    }
    if "px_per_m" in features.names:
        values = {"height_m": features["height_px"] / features["px_per_m"], "speed_m_s": features["com_speed_m_s"]}
        for name, column in values.items():
            for identity, value in zip(found, column.tolist()):
                found[identity] |= {name: round(value, 2)} if np.isfinite(value) else {}
    return found


def _counts(place: Zone | Line, counter: ZoneCounter) -> dict[str, Any]:
    """Return the counts of one place; a region also has the number of people inside."""
    counts: dict[str, Any] = counter.facts()[place.name]
    if isinstance(place, Line):
        return {"in": counts["in"], "out": counts["out"]}
    return counts | {"inside": counter.counts[place.name].inside}
