"""Features and events of a run: computed once per frame, written to their tables, passed to labels and report."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from math import isnan
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from ...errors import OutputError
from ..features.events.detector import EventDetector
from ..features.events.event import COUNT, EVENT_COLUMNS, UNITS, Event
from ..features.events.zones import ZoneCounter
from ..features.extraction.columns import LEAD, header
from ..features.extraction.stream import ActionFeatures, Features
from ..features.kinematics.derivatives import FILTER
from ..features.movement.movements import Movements
from ..features.movement.passage import Passage
from ..features.movement.phases import Repetition
from ..partial import PartialFile, Transaction
from ..types import Frame, Tracks
from .movement import BalanceRows, GaitRows, RepetitionRows
from .sidecar import versions, write_facts
from .sinks import ContextGroup

_DECIMALS = {"px": 2, "px/m": 2, "deg": 2, "deg/s": 1, "px/s": 2, "px/s2": 1, "%": 1}
_FINE = 4  # decimals of all other units


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


class Contents(Protocol):
    """Header and description of a table."""

    header: str

    def facts(self) -> dict[str, Any]:
        """Return the description of the columns for the sidecar."""


Kind = TypeVar("Kind", bound=Contents)


class FrameContents(Contents, Protocol):
    """Contents of a table of frames."""

    def rows(self, features: Features, events: Sequence[Event]) -> str:
        """Return the rows of one frame."""


class MovementContents(Contents, Protocol):
    """Contents of a table of movements."""

    def rows(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> str:
        """Return the rows of completed movements."""


class FeatureRows:
    """One row per person per frame.

    Args:
        actions: defines the columns.
    """

    def __init__(self, actions: ActionFeatures) -> None:
        self._columns = actions.columns
        self._names = (*LEAD, *(header(name, unit) for name, (unit, _) in actions.columns.items()))
        self.header = ",".join(self._names) + "\n"
        decimals = [_DECIMALS.get(unit, _FINE) for unit, _ in actions.columns.values()]
        self._scale = 10.0 ** np.array(decimals)
        self._row = ",".join(f"%.{n}f" for n in decimals) + "\n"

    def rows(self, features: Features, events: Sequence[Event]) -> str:
        """Return the rows of one frame."""
        lead = f"{features.frame},{features.time:.6f},"
        values = np.where(np.isfinite(features.values), features.values, np.nan)
        values = np.rint(values * self._scale) / self._scale + 0.0  # + 0.0 turns -0.00 into 0.00
        texts = features.ids.tolist(), features.states, features.views, features.postures, features.flags
        return "".join(
            f"{lead}{identity},{state},{view},{posture},{flags},{(self._row % tuple(row)).replace('nan', '')}"
            for identity, state, view, posture, flags, row in zip(*texts, values.tolist(), strict=True)
        )

    def facts(self) -> dict[str, Any]:
        """Return the description of the columns for the sidecar."""
        facts = zip(self._names, (LEAD | self._columns).values(), strict=True)
        return {"columns": {name: {"unit": unit, "meaning": meaning} for name, (unit, meaning) in facts}}


class EventRows:
    """One row per event, in the order of detection.

    Args:
        detector: describes the values of its events.
        zones: describes those of zones and lines, and counts them.
    """

    header = ",".join(EVENT_COLUMNS) + "\n"

    def __init__(self, detector: EventDetector, zones: ZoneCounter) -> None:
        self._detector, self._zones = detector, zones

    def rows(self, features: Features, events: Sequence[Event]) -> str:
        """Return the rows of the events detected in one frame."""
        units = UNITS | self._zones.units()
        return "".join(
            f"{event.time:.6f},{event.frame},{event.track},{event.event},{'' if isnan(value) else f'{value:g}'},"
            f"{units.get(event.event, COUNT)},{event.confidence:.2f}\n"
            for event in events
            for value in (event.value,)
        )

    def facts(self) -> dict[str, Any]:
        """Return the description of the columns for the sidecar."""
        values = self._detector.values() | self._zones.values()
        return {"columns": EVENT_COLUMNS, "values": values, "zones": self._zones.facts()}


class _Table(Generic[Kind]):
    """One file that grows under its partial name, and its sidecar."""

    def __init__(
        self,
        path: Path,
        contents: Callable[[], Kind],
        *,
        overwrite: bool,
        facts: Callable[[], dict[str, Any]],
        results: Transaction | None,
    ) -> None:
        self._new, self._contents = contents, contents()
        self._facts, self._results = facts, results
        self._file = PartialFile(path, overwrite=overwrite, results=results)

    def __enter__(self) -> Self:
        self._file.__enter__()
        try:
            self._file.write(self._contents.header.encode())
            self._write_facts(complete=False)
        except BaseException as error:
            self._file.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)
        with suppress(*((OutputError,) if kind else ())):  # the first error is the one to report
            self._write_facts(complete=kind is None)

    def _write_facts(self, *, complete: bool) -> None:
        document = {"complete": complete, **self._facts(), "versions": versions(), **self._contents.facts()}
        write_facts(self._file.path, document, complete=complete, results=self._results)

    def _append(self, block: str) -> None:
        if block:
            self._file.write(block.encode())

    def restart(self) -> None:
        """Remove all rows."""
        self._contents = self._new()
        self._file.clear()
        self._file.write(self._contents.header.encode())


class _FrameTable(_Table[FrameContents]):
    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Append the rows of one frame."""
        self._append(self._contents.rows(features, events))


class _MovementTable(_Table[MovementContents]):
    def add(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> None:
        """Append the rows of completed movements."""
        self._append(self._contents.rows(passages, repetitions))


def _facts(actions: ActionFeatures) -> dict[str, Any]:
    """Return what all tables state in their sidecars; the floor may be found only at the end of a run."""
    return {
        "skeleton": {"name": actions.skeleton.name, "keypoints": list(actions.skeleton.keypoints)},
        "filter": FILTER,
        "calibration": actions.calibration.facts(),
    }


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
        words: Any = {"overwrite": overwrite, "facts": partial(_facts, actions), "results": results}
        frame_tables = [_FrameTable(Path(path), rows, **words) for path, rows in of_frames if path]
        movement_tables = [_MovementTable(Path(path), rows, **words) for path, rows in of_movements if path]
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
        words = {"passages": self._passages}
        self._movements = Movements(self._detector, **words) if self._movement_listeners else None

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
