"""What is drawn with each person beside the ID: posture and event counts as text, or joint angles (`--label`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from ..features.events.detector import EventDetector
from ..features.events.event import Event
from ..features.extraction.features import Features
from ..types import Frame, Tracks

Key = TypeVar("Key")
Label = TypeVar("Label")


class EventLabels:
    """Callable `(tracks) -> posture and number of each event so far as text, by ID`.

    Args:
        detector: has processed the features up to now.
    """

    def __init__(self, detector: EventDetector) -> None:
        self._detector = detector
        self._postures: dict[int, str] = {}

    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Store the postures of one frame."""
        self._postures = dict(zip(features.ids.tolist(), features.postures))

    def restart(self) -> None:
        """Forget all postures."""
        self._postures = {}

    def __call__(self, tracks: Tracks) -> dict[int, str]:
        """Return the label of each person."""
        labels = {}
        for identity in tracks.ids.tolist():
            counts = [f"{name.replace('_', ' ')} {count}" for name, count in self._detector.counts(identity).items()]
            labels[identity] = "  ".join(filter(None, [self._postures.get(identity, ""), *counts]))
        return labels


class LabelSink(Generic[Key, Label]):
    """Make the labels of each frame when its tracks are written, and return them when it is drawn.

    Args:
        make: `(tracks) -> labels by key`: texts or arcs of each ID, or texts of each zone.
    """

    def __init__(self, make: Callable[[Tracks], dict[Key, Label]]) -> None:
        self._make = make
        self._labels: dict[int, dict[Key, Label]] = {}  # by the number of the frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restart()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Make the labels of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Make the labels of the frame with this number."""
        self._labels[index] = self._make(tracks)

    def restart(self) -> None:
        """Remove all labels."""
        self._labels.clear()

    def __call__(self, frame: Frame) -> dict[Key, Label]:
        """Return the labels of a frame, once."""
        return self._labels.pop(frame.index, {})
