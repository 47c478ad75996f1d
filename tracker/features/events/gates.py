"""Conditions of exercises that the measures of one frame do not tell: a seat in use, bent legs, one foot in front."""

from __future__ import annotations

import math

SEATED, CROUCHED, STAGGERED = "seated", "crouched", "staggered"  # see `gates`
GATES = {SEATED, CROUCHED, STAGGERED}
SEAT_SECONDS, RISEN_SECONDS = 1.0, 2.0  # at rest with level thighs: seated; upright until a bend is a squat again
_STRAIGHT = 0.78  # thigh_drop of legs that stand; a squat is over here
_SEAT, _STILL, _MEAN_SECONDS = 0.5, 0.1, 0.3  # thigh_drop; body heights per second, averaged over this time
_APART = 0.3  # body heights between the feet in side views; from 0.35 in a lunge, up to 0.25 in a squat


class Seat:
    """Detect whether one person uses a seat: from sitting still until standing for a while."""

    def __init__(self) -> None:
        self._since, self._seated, self._level = math.nan, False, False
        self._last, self._speed = math.nan, 0.0

    def update(self, time: float, thigh_drop: float, descent: float) -> float:
        """Process a frame's thigh_drop and descent (body heights/s); return 1 while a seat is used, otherwise 0."""
        level = thigh_drop < _SEAT
        if not math.isnan(descent) and time > self._last:
            self._speed += (1 - math.exp((self._last - time) / _MEAN_SECONDS)) * (descent - self._speed)
        self._last = time
        moves = level and abs(self._speed) > _STILL
        if math.isnan(self._since) or level != self._level or moves:
            self._since, self._level = time, level
        if time - self._since >= (SEAT_SECONDS if level else RISEN_SECONDS):
            self._seated = level
        return float(self._seated)


def gates(seat: Seat, time: float, at: dict[str, float], *, view: str) -> dict[str, float]:
    """Return the conditions of exercises in a frame.

    `seated` is 1 while a seat is used, and `crouched` 1 while the legs are bent without one. `staggered` is 1 while one
    foot is far in front of the other, in side views by the feet, because knees hide each other there, and otherwise the
    difference of the thighs.
    """
    seated = seat.update(time, at["thigh_drop"], at["descent_bh_s"])
    staggered = 1.0 if view in ("right", "left") and at["spread"] > _APART else at["thigh_split"]
    return {
        SEATED: seated,
        CROUCHED: float(at["thigh_drop"] < _STRAIGHT and not seated),
        STAGGERED: staggered,
    }
