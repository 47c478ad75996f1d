"""What an event is, and the columns of its table."""

from __future__ import annotations

from dataclasses import dataclass

from .repetitions import Cycle

EVENT_COLUMNS = {
    "time_s": "when it happened, seconds",
    "frame": "the same as a frame's number",
    "track_id": "who did it",
    "event": "its name",
    "value": "see values; empty where there is none",
    "unit": "of the value",
    "confidence": "0 to 1",
}
VALUES = {  # meaning of the column `value` for each event
    "step": "cadence, steps a minute; empty for the first step of a walk",
    **{f"{side}_hand_raised": "how many times this person raised that hand" for side in ("left", "right")},
    "fall": "fastest descent of the trunk, body heights a second",
}
UNITS = {"step": "steps/min", "fall": "body heights/s"}  # of the values; those of all other events are counts
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Event:
    """An action of one person.

    Attributes:
        time: seconds.
        frame: number of the frame.
        track: ID of the person.
        event: name of the event.
        value: see `VALUES`; NaN if there is none.
        confidence: in [0, 1].
        cycle: times of a repetition; None for other events.
    """

    time: float
    frame: int
    track: int
    event: str
    value: float
    confidence: float
    cycle: Cycle | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An event of one person, before it has a count and a confidence.

    Attributes:
        time: seconds.
        frame: number of the frame.
        event: name of the event.
        value: see `VALUES`; None for the count.
        margin: beyond the least that counts; 0: just reached, 1: twice as much.
        quality: of the keypoints, in [0, 1].
        cycle: times of a repetition; None for other events.
    """

    time: float
    frame: int
    event: str
    value: float | None
    margin: float
    quality: float
    cycle: Cycle | None = None
