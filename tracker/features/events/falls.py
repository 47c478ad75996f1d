"""Detect falls: a person who was upright, came down fast, and lies."""

from __future__ import annotations

import math
from collections import deque

from .event import Found
from .steps import LEGS

FALL_SPEED = 0.8  # body heights per second, descent of the trunk; sitting down reaches 0.5, lying down less
FALL_SECONDS = 1.5  # from upright to lying
LIES_SECONDS = 0.4  # minimum time of lying after a fall
_UPRIGHT = 0.6  # minimum trunk_rise of a person who can fall


class Falls:
    """Detect the falls of one person."""

    def __init__(self) -> None:
        self._upright = -math.inf  # seconds
        self._descents: deque[tuple[float, float]] = deque()  # time, body heights per second
        self._lies: tuple[float, int] | None = None  # time and frame from which the person lies

    def update(self, time: float, frame: int, at: dict[str, float], *, posture: str) -> list[Found]:
        """Process the measures and the posture of a frame, and return the fall that it completes, if any."""
        if not math.isnan(at["descent_bh_s"]):
            self._descents.append((time, at["descent_bh_s"]))
        while self._descents and self._descents[0][0] < time - FALL_SECONDS - LIES_SECONDS:
            self._descents.popleft()
        if not posture:
            return []
        if posture != "lying":
            self._lies = None
            if at["trunk_rise"] > _UPRIGHT and at["thigh_drop"] > LEGS:
                self._upright = time
            return []
        self._lies = self._lies or (time, frame)
        since, first = self._lies
        if time - since < LIES_SECONDS or since - self._upright > FALL_SECONDS:
            return []
        self._upright = -math.inf  # once
        fastest = max((speed for _, speed in self._descents), default=0.0)
        if fastest < FALL_SPEED:
            return []
        return [Found(since, first, "fall", fastest, fastest / FALL_SPEED - 1, at["pose_score"])]
