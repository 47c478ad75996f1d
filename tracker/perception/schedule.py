"""Decide for each frame whether to run the detector, follow known people with the pose network, or predict only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ...models.geometry.boxes import iou
from ..types import Poses, State, Tracks

_SURE = 0.5  # minimum confidence of a keypoint in the prediction error; others jitter on their own
Every = int | str  # every Nth frame, or `auto`


class FrameMode(StrEnum):
    """How a frame is processed."""

    DETECT = "detect"  # boxes from the detector, keypoints from the pose network
    FOLLOW = "follow"  # boxes from the tracker, keypoints from the pose network
    PREDICT = "predict"  # boxes and keypoints from the tracker


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of `auto`. Times are in seconds, so that they do not depend on the frame rate.

    Attributes:
        least_seconds: minimum interval between two detections, except to confirm a new person.
        detect_seconds: maximum interval between two detections, and so the longest delay of a new person.
        change_seconds: interval after which a detection is due if the camera moved, or the image outside all boxes.
        follow_seconds: maximum age of the last pose for boxes to be followed; in a slow video, people move too far.
        pose_seconds: maximum interval between two pose estimations.
        surprise: maximum prediction error of the confident keypoints (90th percentile), in heights of the person, for
            the next pose estimation to be skipped.
        crowded: IoU of two people from which each frame is detected, to keep their ids apart.
    """

    least_seconds: float = 0.0
    detect_seconds: float = 0.2
    change_seconds: float = 0.1
    follow_seconds: float = 0.07
    pose_seconds: float = 0.035
    surprise: float = 0.01
    crowded: float = 0.05


class Schedule:
    """Choose the mode of each frame before it is processed. Equal inputs give equal results.

    Args:
        detect_every: run the detector on every Nth frame; `auto` decides by `limits`.
        pose_every: run the pose network on every Nth frame; `auto` decides by `limits`.
        target_fps: frame rate at which `auto` aims; 0 is that of the source.
        limits: limits of `auto`.
    """

    def __init__(
        self,
        detect_every: Every = 1,
        pose_every: Every = 1,
        *,
        target_fps: float = 0.0,
        limits: Limits | None = None,
    ) -> None:
        self.detect_every, self.pose_every, self.target_fps = detect_every, pose_every, target_fps
        self._limits = limits or Limits()
        self.reset()

    def reset(self) -> None:
        """Start another source, with the initial limits."""
        self.limits = self._limits
        self.cut()

    def cut(self) -> None:
        """Detect in the next frame, as in the first one."""
        self._last_detection, self._last_pose = -np.inf, -np.inf  # seconds
        self._since_detection, self._since_pose = np.inf, np.inf  # frames
        self._surprise = np.inf

    @property
    def skips(self) -> bool:
        """Whether some frames are processed without a detection."""
        return self.detect_every != 1 or self.pose_every != 1

    @property
    def description(self) -> str:
        """Description of the schedule for log messages."""
        limits = self.limits
        detect = f"every {self.detect_every} frames" if self.detect_every != 1 else "every frame"
        pose = f"every {self.pose_every} frames" if self.pose_every != 1 else "every frame"
        if self.detect_every == "auto":
            detect = f"on motion, at least every {limits.detect_seconds:g} s"
        if self.pose_every == "auto":
            pose = f"where predictions are uncertain, at least every {limits.pose_seconds:g} s"
        return f"people are detected {detect}; keypoints are estimated {pose}"

    @property
    def adapts(self) -> bool:
        """Whether the limits apply."""
        return "auto" in (self.detect_every, self.pose_every)

    @property
    def watches(self) -> bool:
        """Whether it uses the argument `moved`."""
        return self.detect_every == "auto"

    def __call__(self, time: float, expected: Tracks, *, has_tentative: bool = False, moved: bool = False) -> FrameMode:
        """Choose the mode of the next frame.

        Args:
            time: timestamp of the frame, seconds.
            expected: predicted tracks; those not matched in the last processed frame have the state `predicted`.
            has_tentative: whether the tracker has tentative tracks, which need another detection.
            moved: whether the camera moved, or the image changed outside all boxes.
        """
        self._since_detection += 1
        self._since_pose += 1
        lost = State.PREDICTED in expected.states
        if has_tentative or self._detection_is_due(time, expected, lost=lost, moved=moved):
            self._last_detection, self._since_detection = time, 0
            mode = FrameMode.DETECT
        elif self._pose_is_due(time):
            mode = FrameMode.FOLLOW
        else:
            return FrameMode.PREDICT
        self._last_pose, self._since_pose = time, 0
        self._surprise = np.inf  # until `learn` is called
        return mode

    def _detection_is_due(self, time: float, expected: Tracks, *, lost: bool, moved: bool) -> bool:
        if self.detect_every != "auto":
            return self._since_detection >= int(self.detect_every)
        since, limits = time - self._last_detection, self.limits
        return since >= limits.least_seconds and (
            lost
            or not len(expected)
            or since >= limits.detect_seconds
            or time - self._last_pose > limits.follow_seconds
            or (moved and since >= limits.change_seconds)
            or _closest(expected.poses.boxes) > limits.crowded
        )

    def _pose_is_due(self, time: float) -> bool:
        if self.pose_every != "auto":
            return self._since_pose >= int(self.pose_every)
        return time - self._last_pose >= self.limits.pose_seconds or self._surprise > self.limits.surprise

    def learn(self, poses: Poses, expected: Poses) -> None:
        """Measure the prediction error of N people, to decide about the next pose estimation."""
        heights = np.maximum(expected.boxes[:, 3] - expected.boxes[:, 1], 1.0)[:, None]
        apart = np.linalg.norm(poses.keypoints - expected.keypoints, axis=-1) / heights  # (N, K)
        sure = np.isfinite(apart) & (poses.scores >= _SURE)
        self._surprise = float(np.percentile(apart[sure], 90)) if sure.any() else 0.0


def _closest(boxes: NDArray[np.floating]) -> float:
    """Return the largest IoU of any two of the boxes (N, 4)."""
    overlap = iou(boxes, boxes)
    np.fill_diagonal(overlap, 0.0)
    return float(overlap.max(initial=0.0))
