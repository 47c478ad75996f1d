"""Confidence of events: the probability that an event is right, calibrated on motions with known events."""

from __future__ import annotations

import math


def confidence(event: str, *, margin: float, quality: float) -> float:
    """Return the probability that an event is right.

    Args:
        event: its name.
        margin: how far it exceeds the least that counts; 0 if just reached, 1 at twice as much.
        quality: of what it was computed from, in [0, 1].
    """
    return min(1.0, 0.5 + max(margin, 0.0) / 2) * (0.5 if math.isnan(quality) else quality)
