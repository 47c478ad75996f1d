"""When one person of a video was seen, and how well."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from ..types import State

MAX_SPANS = 2000  # of one person
Span = tuple[float, float, State]  # from and to, seconds


@dataclass(slots=True)
class Person:
    """How one person was seen, in addition to their measurements over time.

    Attributes:
        id: of the track.
        first: number of the first frame.
        last: number of the last frame.
        spans: start and end in seconds, and the state in between; short ones are joined above `MAX_SPANS`.
        states: number of frames by state.
        height: sum of the heights of measured frames, pixels.
        score: sum of the mean keypoint scores of measured frames.
        jitter: sum of the jitter of `jitters` frames, pixels.
        jitters: number of frames in `jitter`.
    """

    id: int
    first: int
    last: int = -1
    spans: list[Span] = field(default_factory=list)
    states: Counter[State] = field(default_factory=Counter)
    height: float = 0.0
    score: float = 0.0
    jitter: float = 0.0
    jitters: int = 0

    @property
    def start(self) -> float:
        """Seconds of the first frame."""
        return self.spans[0][0]

    @property
    def end(self) -> float:
        """Seconds of the last frame."""
        return self.spans[-1][1]

    @property
    def coverage(self) -> float:
        """Share of measured frames between the first and the last."""
        return self.states[State.MEASURED] / (self.last - self.first + 1)

    @property
    def mean_score(self) -> float:
        """Mean score of the keypoints; NaN if the person was never measured."""
        measured = self.states[State.MEASURED]
        return self.score / measured if measured else math.nan

    @property
    def mean_jitter(self) -> float:
        """Mean over frames of the median keypoint's distance from the line between its neighbours in time, pixels."""
        return self.jitter / self.jitters if self.jitters else math.nan

    def add(self, frame: int, time: float, state: State, score: float) -> None:
        """Add one frame with the mean score of its keypoints."""
        continues = self.spans and self.last == frame - 1
        if continues and self.spans[-1][2] is state:
            self.spans[-1] = (self.spans[-1][0], time, state)
        else:
            self.spans.append((self.spans[-1][1] if continues else time, time, state))
            if len(self.spans) > MAX_SPANS:
                self.spans = _coarser(self.spans)
        self.last = frame
        self.states[state] += 1
        if state is State.MEASURED:
            self.score += score

    def add_jitter(self, pixels: float) -> None:
        """Add the jitter of one frame; NaN where it is unknown."""
        if not math.isnan(pixels):
            self.jitter += pixels
            self.jitters += 1


def _coarser(spans: list[Span]) -> list[Span]:
    """Join the spans within 4 / `MAX_SPANS` of the time, as the first of them: at most half of the spans stay."""
    bucket = 4 / MAX_SPANS * (spans[-1][1] - spans[0][0])
    kept = spans[:1]
    for start, end, state in spans[1:-1]:
        if end - kept[-1][0] <= bucket:
            kept[-1] = kept[-1][0], end, kept[-1][2]
        else:
            kept.append((start, end, state))
    return [*kept, spans[-1]]
