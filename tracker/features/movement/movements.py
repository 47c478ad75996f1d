"""The whole movements of a run: passages and repetitions."""

from __future__ import annotations

from collections.abc import Sequence

from ..events.detector import EventDetector
from ..events.event import Event
from ..extraction.features import Features
from .passage import Passage, Passages
from .phases import Repetition, Repetitions


class Movements:
    """Collect movements once for all that use them, in bounded memory.

    Args:
        detector: counts the repetitions.
        passages: whether to collect passages, which keep all features of up to `passage.LONGEST` seconds per person.
    """

    def __init__(self, detector: EventDetector, *, passages: bool = True) -> None:
        self._passages, self._repetitions = Passages() if passages else None, Repetitions(detector)

    def take(self, features: Features, events: Sequence[Event]) -> tuple[list[Passage], list[Repetition]]:
        """Process one frame and its events; return the passages that have ended and the repetitions now complete."""
        passages = self._passages.take(features) if self._passages else []
        return passages, self._repetitions.take(features, events)

    def finish(self) -> tuple[list[Passage], list[Repetition]]:
        """Return the passages and repetitions that the end of the run cuts off, and forget all people."""
        return self._passages.finish() if self._passages else [], self._repetitions.finish()
