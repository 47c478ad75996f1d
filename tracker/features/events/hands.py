"""Detect raised hands: a wrist above the ears of an upright person, for a while."""

from __future__ import annotations

from .event import Found
from .steps import UPRIGHT

HANDS = ("left_hand_raised", "right_hand_raised")
RAISED, LOWERED = 0.02, -0.05  # body heights of the wrist above the ears
HOLD_SECONDS = 0.7  # minimum duration of a raised hand; longer than in a jumping jack


class RaisedHands:
    """Detect the raised hands of one person."""

    def __init__(self) -> None:
        self._since: list[tuple[float, int] | None] = [None, None]  # time and frame from which each hand is up
        self._reported = [False, False]

    def update(self, time: float, frame: int, at: dict[str, float]) -> list[Found]:
        """Process the measures of a frame, and return the hands that have been up for long enough."""
        found: list[Found] = []
        for hand, name in enumerate(HANDS):
            rise = at[name.replace("raised", "rise")]
            if rise < LOWERED or at["trunk_rise"] < UPRIGHT:
                self._since[hand], self._reported[hand] = None, False
            elif rise > RAISED:
                since = self._since[hand] = self._since[hand] or (time, frame)
                if time - since[0] >= HOLD_SECONDS and not self._reported[hand]:
                    self._reported[hand] = True
                    quality = at[f"{name.partition('_')[0]}_wrist_score"]
                    found.append(Found(*since, name, None, rise / RAISED - 1, quality))
        return found
