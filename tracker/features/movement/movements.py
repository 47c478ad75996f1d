"""The whole movements of a run: passages and repetitions."""

from __future__ import annotations

from collections.abc import Sequence

from ..events.detector import EventDetector
from ..events.event import Event
from ..extraction.stream import Features
from .passage import Passage, Passages
from .phases import Repetition, Repetitions


class Movements:
    """Collect movements once for all that use them, in bounded memory.

    Args:
        detector: counts the repetitions.
    """

    def __init__(self, detector: EventDetector) -> None:
        self._passages, self._repetitions = Passages(), Repetitions(detector)

    def take(self, features: Features, events: Sequence[Event]) -> tuple[list[Passage], list[Repetition]]:
        """Process one frame and its events; return the passages that have ended and the repetitions now complete."""
        return self._passages.take(features), self._repetitions.take(features, events)

    def finish(self) -> tuple[list[Passage], list[Repetition]]:
        """Return the passages and repetitions that the end of the run cuts off, and forget all people."""
        return self._passages.finish(), self._repetitions.finish()
