"""Tables of features, events and movements: their rows, their files, and the sidecar of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
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
from ..features.extraction.features import Features
from ..features.extraction.stream import ActionFeatures
from ..features.kinematics.derivatives import FILTER
from ..features.movement.passage import Passage
from ..features.movement.phases import Repetition
from ..partial import PartialFile, Transaction
from ..types import Tracks
from .sidecar import versions, write_facts

_DECIMALS = {"px": 2, "px/m": 2, "deg": 2, "deg/s": 1, "px/s": 2, "px/s2": 1, "%": 1}
_FINE = 4  # decimals of all other units


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
        self._file = PartialFile(path, header=self._contents.header, overwrite=overwrite, results=results)

    def __enter__(self) -> Self:
        self._file.__enter__()
        try:
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


class FrameTable(_Table[FrameContents]):
    """A table with rows for each frame."""

    def take(self, tracks: Tracks, features: Features, events: Sequence[Event]) -> None:
        """Append the rows of one frame."""
        self._append(self._contents.rows(features, events))


class MovementTable(_Table[MovementContents]):
    """A table with rows for each movement."""

    def add(self, passages: Sequence[Passage], repetitions: Sequence[Repetition]) -> None:
        """Append the rows of completed movements."""
        self._append(self._contents.rows(passages, repetitions))


def shared_facts(actions: ActionFeatures, source: str) -> dict[str, Any]:
    """Return what all tables state in their sidecars; the floor may be found only at the end of a run."""
    return {
        "source": source,
        "skeleton": {"name": actions.skeleton.name, "keypoints": list(actions.skeleton.keypoints)},
        "filter": FILTER,
        "calibration": actions.calibration.facts(),
    }
