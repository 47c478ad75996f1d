"""Confidence of events: the probability that an event is right, calibrated on motions with known events.

A logistic regression on the margin and the quality of 601 events, of which 97 % were right: synthetic motions with
keypoint noise of 1 and 2.5 % of the height, and clips of drawn people, seen by the bundled network. docs/events.md and
docs/repetitions.md compare stated and true shares.
"""

from __future__ import annotations

import math

MARGIN = 2.0  # a larger margin adds no confidence
# event: constant, weight of the margin, weight of the quality
_WEIGHTS = {
    "step": (-1.38, 4.18, 3.09),
    "left_hand_raised": (2.82, 0.56, 0.23),
    "right_hand_raised": (2.82, 0.56, 0.23),
    "fall": (1.33, 1.07, 0.11),
}
_REPETITION = (4.32, 0.2, 0.69)


def confidence(event: str, *, margin: float, quality: float) -> float:
    """Return the probability that an event is right.

    Args:
        event: its name.
        margin: how far it exceeds the least that counts; 0 if just reached, 1 at twice as much.
        quality: of what it was computed from, in [0, 1]; NaN counts as 0.
    """
    constant, of_margin, of_quality = _WEIGHTS.get(event, _REPETITION)
    known = 0.0 if math.isnan(quality) else quality
    return 1 / (1 + math.exp(-constant - of_margin * min(max(margin, 0.0), MARGIN) - of_quality * known))
