"""What is done with each frame: find the people anew, follow those who are known, or only expect them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from .tracking.boxes import iou
from .types import Poses, State, Tracks

_SURE = 0.5  # confidence of a keypoint that can surprise; others leap by themselves
Every = int | str  # every Nth frame, or `auto`


class Look(StrEnum):
    """How a frame is looked at."""

    DETECT = "detect"  # the detector finds the people, the pose network their keypoints
    FOLLOW = "follow"  # the tracker tells where the people are, the pose network their keypoints
    EXPECT = "expect"  # the tracker tells all


@dataclass(frozen=True, slots=True)
class Limits:
    """What `auto` holds to. Times are in seconds, so that the frame rate does not matter.

    Attributes:
        least_seconds: between two detections at the least, whatever happens but a first sight of somebody.
        detect_seconds: until the next detection at the latest; somebody new waits for so long at the most.
        change_seconds: until the next one if something moved where nobody is known, or the camera did.
        follow_seconds: since the last look, up to which boxes are followed: in a slow video people are soon elsewhere.
        pose_seconds: between two looks at the keypoints at the most.
        surprise: how far from the expected place the sure keypoints may have been (nine tenths of them) for the next
            look to be left out, in heights of the person.
        crowded: IoU of two people from which each frame is looked at for who is who.
    """

    least_seconds: float = 0.0
    detect_seconds: float = 0.2
    change_seconds: float = 0.1
    follow_seconds: float = 0.07
    pose_seconds: float = 0.035
    surprise: float = 0.01
    crowded: float = 0.05


class Schedule:
    """Decide, from what is known before a frame is looked at, how it is. Equal inputs give equal answers.

    Args:
        detect_every: detect in every Nth frame; `auto` decides by `limits`.
        pose_every: estimate keypoints in every Nth frame; `auto` decides by `limits`.
        limits: of `auto`.
    """

    def __init__(self, detect_every: Every = 1, pose_every: Every = 1, *, limits: Limits | None = None) -> None:
        self.detect_every, self.pose_every = detect_every, pose_every
        self._limits = limits or Limits()
        self.reset()

    def reset(self) -> None:
        """Begin another source, with the limits that were given at first."""
        self.limits = self._limits
        self.cut()

    def cut(self) -> None:
        """Look at the next frame with everything, as at the first one."""
        self._detected, self._looked = -np.inf, -np.inf  # seconds
        self._since_detection, self._since_look = np.inf, np.inf  # frames
        self._surprise = np.inf

    @property
    def skips(self) -> bool:
        """Whether a frame may pass without a detection."""
        return self.detect_every != 1 or self.pose_every != 1

    @property
    def description(self) -> str:
        """What it does, for people."""
        limits = self.limits
        detect = f"every {self.detect_every} frames" if self.detect_every != 1 else "every frame"
        pose = f"every {self.pose_every} frames" if self.pose_every != 1 else "every frame"
        if self.detect_every == "auto":
            detect = f"by what moves, after {limits.detect_seconds:g} s at the latest"
        if self.pose_every == "auto":
            pose = f"where they may surprise, after {limits.pose_seconds:g} s at the latest"
        return f"people are looked for {detect}; keypoints {pose}"

    @property
    def adapts(self) -> bool:
        """Whether its limits matter."""
        return "auto" in (self.detect_every, self.pose_every)

    @property
    def watches(self) -> bool:
        """Whether it wants to know what moves."""
        return self.detect_every == "auto"

    def __call__(self, time: float, expected: Tracks, *, doubting: bool = False, moved: bool = False) -> Look:
        """Decide about the next frame.

        Args:
            time: seconds, of the frame.
            expected: who should be in it, and who of them was seen when last somebody looked.
            doubting: whether the last look saw somebody who must be seen once more to be believed.
            moved: whether the camera moved, or something where nobody is known.
        """
        self._since_detection += 1
        self._since_look += 1
        lost = State.PREDICTED in expected.states
        if doubting or self._detection_is_due(time, expected, lost=lost, moved=moved):
            self._detected, self._since_detection = time, 0
            look = Look.DETECT
        elif self._look_is_due(time):
            look = Look.FOLLOW
        else:
            return Look.EXPECT
        self._looked, self._since_look = time, 0
        self._surprise = np.inf  # until `learn` is told
        return look

    def _detection_is_due(self, time: float, expected: Tracks, *, lost: bool, moved: bool) -> bool:
        if self.detect_every != "auto":
            return self._since_detection >= int(self.detect_every)
        since, limits = time - self._detected, self.limits
        return since >= limits.least_seconds and (
            lost
            or not len(expected)
            or since >= limits.detect_seconds
            or time - self._looked > limits.follow_seconds
            or (moved and since >= limits.change_seconds)
            or _closest(expected.poses.boxes) > limits.crowded
        )

    def _look_is_due(self, time: float) -> bool:
        if self.pose_every != "auto":
            return self._since_look >= int(self.pose_every)
        return time - self._looked >= self.limits.pose_seconds or self._surprise > self.limits.surprise

    def learn(self, poses: Poses, expected: Poses) -> None:
        """Take in how far N people were from where they were expected."""
        heights = np.maximum(expected.boxes[:, 3] - expected.boxes[:, 1], 1.0)[:, None]
        apart = np.linalg.norm(poses.keypoints - expected.keypoints, axis=-1) / heights  # (N, K)
        sure = np.isfinite(apart) & (poses.scores >= _SURE)
        self._surprise = float(np.percentile(apart[sure], 90)) if sure.any() else 0.0


def _closest(boxes: NDArray[np.floating]) -> float:
    """Return the largest IoU of two of the boxes (N, 4)."""
    overlap = iou(boxes, boxes)
    np.fill_diagonal(overlap, 0.0)
    return float(overlap.max(initial=0.0))
