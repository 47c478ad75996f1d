"""What people do, written as it is found: the table of features, the table of events, and JSON beside each."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from ...errors import OutputError
from ..features.columns import LEAD
from ..features.derivatives import FILTER
from ..features.events import EVENT_COLUMNS, EventDetector
from ..features.stream import ActionFeatures, Features
from ..partial import PartialFile, Transaction
from ..types import Frame, Tracks
from .sidecar import versions, write_facts
from .sinks import Together

_DECIMALS = {"px": 2, "deg": 2, "deg/s": 1, "px/s": 2, "px/s2": 1, "%": 1}
_FINE = 4  # decimals of all other units


class Contents(Protocol):
    """What a table says of frames."""

    header: str

    def rows(self, frame: Features) -> str:
        """Return the rows of the next frame."""

    def facts(self) -> dict[str, Any]:
        """Return what a reader of the table has to know."""

    def restart(self) -> None:
        """Forget all frames."""


class FeatureRows:
    """A row for every person and frame.

    Args:
        features: whose columns they are.
    """

    def __init__(self, features: ActionFeatures) -> None:
        self._features = features
        self.header = ",".join((*LEAD, *features.columns)) + "\n"
        decimals = [_DECIMALS.get(unit, _FINE) for unit, _ in features.columns.values()]
        self._scale = 10.0 ** np.array(decimals)
        self._row = ",".join(f"%.{n}f" for n in decimals) + "\n"

    def rows(self, frame: Features) -> str:
        """Return the rows of the next frame."""
        lead = f"{frame.frame},{frame.time:.6f},"
        values = np.where(np.isfinite(frame.values), frame.values, np.nan)
        values = np.rint(values * self._scale) / self._scale + 0.0  # + 0.0 turns -0.00 into 0.00
        return "".join(
            f"{lead}{identity},{state},{view},{posture},{(self._row % tuple(row)).replace('nan', '')}"
            for identity, state, view, posture, row in zip(
                frame.ids.tolist(), frame.states, frame.views, frame.postures, values.tolist(), strict=True
            )
        )

    def facts(self) -> dict[str, Any]:
        """Return what a reader of the table has to know."""
        columns = LEAD | self._features.columns
        return {"columns": {name: {"unit": unit, "meaning": meaning} for name, (unit, meaning) in columns.items()}}

    def restart(self) -> None:
        """Rows depend on no others."""


class EventRows:
    """A row for every event, in the order in which they are found.

    Args:
        detector: finds them.
    """

    header = ",".join(EVENT_COLUMNS) + "\n"

    def __init__(self, detector: EventDetector) -> None:
        self._detector = detector

    def rows(self, frame: Features) -> str:
        """Return the rows of what the next frame reveals."""
        return "".join(
            f"{event.time:.6f},{event.frame},{event.track},{event.event},{event.value:g},{event.confidence:.2f}\n"
            for event in self._detector.update(frame)
        ).replace("nan", "")

    def facts(self) -> dict[str, Any]:
        """Return what a reader of the table has to know."""
        return {"columns": EVENT_COLUMNS, "values": self._detector.values()}

    def restart(self) -> None:
        """Forget everybody."""
        self._detector.reset()


class _Table:
    """One file of rows that grows under its partial name."""

    def __init__(
        self,
        path: Path,
        contents: Contents,
        *,
        overwrite: bool,
        facts: dict[str, Any],
        results: Transaction | None = None,
    ) -> None:
        self.contents, self._facts, self._results = contents, facts, results
        self._file = PartialFile(path, overwrite=overwrite, results=results)

    def __enter__(self) -> Self:
        self._file.__enter__()
        try:
            self._file.write(self.contents.header.encode())
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
        document = {"complete": complete, **self._facts, "versions": versions(), **self.contents.facts()}
        write_facts(self._file.path, document, complete=complete, results=self._results)

    def restart(self) -> None:
        self.contents.restart()
        self._file.clear()
        self._file.write(self.contents.header.encode())

    def write(self, frames: Iterable[Features]) -> None:
        if block := "".join(map(self.contents.rows, frames)):
            self._file.write(block.encode())


class ActionSink(Together):
    """Write features, events or both of every frame.

    A row is written as soon as it is known, and the last ones at the end, also where that is an error.

    Args:
        actions: computes the features.
        features: where their table will be.
        events: where the table of events will be.
        detector: finds the events.
        overwrite: whether files of these names may be replaced.
        results: gives the tables their names; None gives each its own.

    Raises:
        OutputError: when a name is taken or a file cannot be written.
    """

    def __init__(
        self,
        actions: ActionFeatures,
        *,
        features: str | Path | None = None,
        events: str | Path | None = None,
        detector: EventDetector | None = None,
        overwrite: bool = False,
        results: Transaction | None = None,
    ) -> None:
        self._actions = actions
        facts = {
            "skeleton": {"name": actions.skeleton.name, "keypoints": list(actions.skeleton.keypoints)},
            "filter": FILTER,
            "calibration": {"person_height_m": actions.person_height, "scale_px_per_m": actions.scale},
        }
        wanted: list[tuple[str | Path, Contents]] = []
        if features:
            wanted.append((features, FeatureRows(actions)))
        if events:
            wanted.append((events, EventRows(detector or EventDetector(actions))))
        words: Any = {"overwrite": overwrite, "facts": facts, "results": results}
        self._tables = [_Table(Path(path), contents, **words) for path, contents in wanted]
        super().__init__(*self._tables)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            with suppress(*((OutputError,) if kind else ())):  # the first error is the one to be told
                self._append(self._actions.finish())
        except BaseException as failure:
            super().__exit__(type(failure), failure, failure.__traceback__)
            raise
        return super().__exit__(kind, error, trace)

    def restart(self) -> None:
        """Take back all rows."""
        self._actions.finish()
        for table in self._tables:
            table.restart()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Take the people of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Take the people of the frame with this number and time in seconds."""
        self._append(self._actions.update(index, time, tracks))

    def _append(self, frames: list[Features]) -> None:
        for table in self._tables:
            table.write(frames)
