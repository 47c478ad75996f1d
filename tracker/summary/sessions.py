"""Read tables of features: the measures of each person over a session."""

from __future__ import annotations

import csv
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError, UsageError
from ..features.extraction.columns import LANDMARKS
from ..features.kinematics.angles import ANGLES, period_of
from ..features.kinematics.points import SIDES

Array = NDArray[np.float64]
_UNITS = {"_deg": "deg", "_m_s": "m/s", "_bh_s": "bh/s"}  # by the end of a column's name
_REQUIRED = ("frame", "time_s", "track_id")


@dataclass(frozen=True, slots=True)
class Measure:
    """A column that is summarised.

    Attributes:
        column: its name in the table.
        name: without side and unit, "knee".
        side: "left", "right" or "".
        unit: "deg", "m/s" or "bh/s" (body heights per second).
        period: of an angle, degrees; None for other measures.
    """

    column: str
    name: str
    side: str
    unit: str
    period: float | None

    @property
    def base(self) -> str:
        """Side and name, "left_knee"."""
        return f"{self.side}_{self.name}" if self.side else self.name

    def header(self, statistic: str) -> str:
        """Return the header of a column that holds a statistic of this measure, "left_knee_range_deg"."""
        return f"{self.base}_{statistic}{self.column.removeprefix(self.base)}"


@dataclass(frozen=True, slots=True)
class Session:
    """One table of features.

    Attributes:
        name: of the file, without its suffix.
        measures: M columns, in the order of the table.
        frames: (T,) numbers of each person's frames, by ID.
        times: (T,) seconds, by ID.
        values: (T, M) by ID; NaN where unknown.
    """

    name: str
    measures: tuple[Measure, ...]
    frames: Mapping[int, NDArray[np.int64]]
    times: Mapping[int, Array]
    values: Mapping[int, Array]


def find_tables(paths: Sequence[str]) -> list[Path]:
    """Return the given files, and the tables of features in the given folders, in order of their names.

    Raises:
        SourceError: a path does not exist, or a folder has no table of features.
        UsageError: two files have the same name, which names their session.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(path)
            continue
        tables = [file for file in sorted(path.glob("*.csv")) if _is_features(file)]
        if not tables:
            raise SourceError(f"The folder '{path}' contains no table that --features wrote. Check the path.")
        found += tables
    names = [path.stem for path in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Two tables are named '{twice}', and the name is the session. Rename one of them.")
    return found


def read_session(path: Path, *, flagged: bool = False) -> Session:
    """Read a table that --features wrote.

    Args:
        path: of the table.
        flagged: whether impossible angles, whose quality is 0, are kept; otherwise they count as unknown.

    Raises:
        SourceError: the file is missing, damaged or no such table.
    """
    rows: dict[int, array[float]] = defaultdict(lambda: array("d"))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            measures = tuple(_measures(header))
            if not measures or not {*_REQUIRED} <= {*header}:
                raise SourceError(f"'{path}' is not a table of features. Give one that --features wrote.")
            lead = [header.index(name) for name in _REQUIRED]
            columns = [header.index(measure.column) for measure in measures]
            doubts = [_quality(header, measure) for measure in measures]
            for cells in reader:
                index, time, person = (cells[column] for column in lead)
                values = [float(cells[column] or "nan") for column in columns]
                if not flagged:
                    impossible = [doubt is not None and cells[doubt] and float(cells[doubt]) == 0 for doubt in doubts]
                    values = [float("nan") if bad else value for value, bad in zip(values, impossible)]
                rows[int(person)].extend([int(index), float(time), *values])
    except OSError as error:
        raise SourceError(f"Cannot read '{path}': {error.strerror}. Check the path.") from error
    except (ValueError, IndexError) as error:
        raise SourceError(f"'{path}' is broken in line {reader.line_num}: {error}. Write it again.") from error
    whole = {person: np.array(kept).reshape(-1, 2 + len(measures)) for person, kept in sorted(rows.items())}
    return Session(
        path.stem,
        measures,
        {person: table[:, 0].astype(np.int64) for person, table in whole.items()},
        {person: table[:, 1] for person, table in whole.items()},
        {person: table[:, 2:] for person, table in whole.items()},
    )


def _is_features(path: Path) -> bool:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError):
        return False
    return {*_REQUIRED} <= {*header} and any(True for _ in _measures(header))


def _measures(header: Sequence[str]) -> list[Measure]:
    """Return the measures of a table: its angles, and speeds in metres or otherwise in body heights."""
    unit = "_m_s" if "com_speed_m_s" in header else "_bh_s"
    speeds = [f"{name}_speed" for name in ("com", *LANDMARKS)]
    found = []
    for base, end in (*((name, "_deg") for name in ANGLES), *((name, unit) for name in speeds)):
        if f"{base}{end}" in header:
            side = next((side for side in SIDES if base.startswith(f"{side}_")), "")
            found.append(Measure(f"{base}{end}", base.removeprefix(f"{side}_"), side, _UNITS[end], period_of(base)))
    return found


def _quality(header: Sequence[str], measure: Measure) -> int | None:
    """Return the column of a measure's quality; None if the table has none."""
    name = measure.column.removesuffix("_deg") + "_quality"
    return header.index(name) if name in header else None
