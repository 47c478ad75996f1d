"""Features, events and movements of a run: computed once, and passed to tables, labels and the report."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol

from ...errors import OutputError
from ..features.events.detector import EventDetector
from ..features.events.event import Event
from ..features.events.zones import ZoneCounter
from ..features.extraction.features import Features
from ..features.extraction.stream import ActionFeatures
from ..features.movement.movements import Movements
from ..features.movement.passage import Passage
from ..features.movement.phases import Repetition
from ..partial import Transaction
from ..types import Frame, Tracks
from .action_tables import (
    EventRows,
    FeatureRows,
    FrameContents,
    FrameTable,
    MovementContents,
    MovementTable,
    shared_facts,
)
from .movement import BalanceRows, GaitRows, RepetitionRows
from .sinks import ContextGroup


class Listener(Protocol):
    """Receives the features and events of each frame."""

    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Process one frame; an event may have happened shortly before it."""

    def restart(self) -> None:
        """Forget all frames."""


class MovementListener(Protocol):
    """Receives whole movements."""

    def add(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> None:
        """Process the movements that one frame, or the end of the run, completes."""

    def restart(self) -> None:
        """Forget all movements."""


class ActionSink(ContextGroup):
    """Compute features, events and movements once, and pass them to tables and listeners.

    Rows are written as soon as they are known, and the last ones at the end of the run, even after an error.

    Args:
        actions: computes the features.
        detector: detects the events.
        listeners: receive features and events.
        movements: receive whole movements, which are collected only for them and for their tables.
        zones: zones and lines whose events are added; None if there are none.
        features: path of the table of features.
        events: path of the table of events.
        reps: path of the table of repetitions.
        gait: path of the table of gait cycles.
        balance: path of the table of standing and jumps.
        source: of the poses, for the sidecars.
        overwrite: whether existing files may be replaced.
        results: gives the tables their names; None gives each its own.

    Raises:
        OutputError: a name is taken, or a file cannot be written.
    """

    def __init__(
        self,
        actions: ActionFeatures,
        detector: EventDetector,
        *listeners: Listener,
        movements: Sequence[MovementListener] = (),
        zones: ZoneCounter | None = None,
        features: str | Path | None = None,
        events: str | Path | None = None,
        reps: str | Path | None = None,
        gait: str | Path | None = None,
        balance: str | Path | None = None,
        source: str = "",
        overwrite: bool = False,
        results: Transaction | None = None,
    ) -> None:
        self._actions, self._detector, self._zones = actions, detector, zones or ZoneCounter(())
        of_frames: list[tuple[str | Path | None, Callable[[], FrameContents]]] = [
            (features, lambda: FeatureRows(actions)),
            (events, lambda: EventRows(detector, self._zones)),
        ]
        of_movements: list[tuple[str | Path | None, Callable[[], MovementContents]]] = [
            (reps, RepetitionRows),
            (gait, GaitRows),
            (balance, BalanceRows),
        ]
        facts = partial(shared_facts, actions, source)
        frame_tables = [
            FrameTable(Path(path), rows, overwrite=overwrite, facts=facts, results=results)
            for path, rows in of_frames
            if path
        ]
        movement_tables = [
            MovementTable(Path(path), rows, overwrite=overwrite, facts=facts, results=results)
            for path, rows in of_movements
            if path
        ]
        super().__init__(*frame_tables, *movement_tables)
        self._listeners: tuple[Listener, ...] = (*frame_tables, *listeners)
        self._movement_listeners: tuple[MovementListener, ...] = (*movement_tables, *movements)
        self._passages = bool(gait or balance or movements)
        self._restart_movements()
        self._waiting: deque[Tracks] = deque()  # frames whose features are not known yet

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            with suppress(*((OutputError,) if kind else ())):  # the first error is the one to report
                self._pass_on(self._actions.finish(), last=True)
        except BaseException as failure:
            super().__exit__(type(failure), failure, failure.__traceback__)
            raise
        return super().__exit__(kind, error, trace)

    def restart(self) -> None:
        """Forget all frames and remove all rows."""
        self._actions.finish()
        self._detector.reset()
        self._zones.reset()
        self._waiting.clear()
        self._restart_movements()
        for listener in self._listeners:
            listener.restart()
        for receiver in self._movement_listeners:
            receiver.restart()

    def _restart_movements(self) -> None:
        wanted = bool(self._movement_listeners)
        self._movements = Movements(self._detector, passages=self._passages) if wanted else None

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Process the people of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Process the people of one frame, given its number and time in seconds."""
        self._waiting.append(tracks)
        self._pass_on(self._actions.update(index, time, tracks))

    def _pass_on(self, frames: list[Features], *, last: bool = False) -> None:
        """Detect the events of frames and pass everything on; the last frames also end stays in zones and movements."""
        found: list[tuple[Tracks, Features, list[Event]]] = []
        for features in frames:
            tracks = self._waiting.popleft()
            there = self._zones.update(features.frame, features.time, tracks)
            found.append((tracks, features, [*self._detector.update(features), *there]))
        if last and found:
            found[-1][2].extend(self._zones.finish())
        for tracks, features, events in found:
            for listener in self._listeners:
                listener.take(tracks, features, events)
            if self._movements:
                self._pass_on_movements(*self._movements.take(features, events))
        if last and self._movements:
            self._pass_on_movements(*self._movements.finish())

    def _pass_on_movements(self, passages: list[Passage], repetitions: list[Repetition]) -> None:
        if passages or repetitions:
            for listener in self._movement_listeners:
                listener.add(passages, repetitions)
