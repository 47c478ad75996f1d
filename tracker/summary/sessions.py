"""Read the tables of sessions."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import SourceError, UsageError
from ..features.extraction.columns import LANDMARKS
from ..features.kinematics.angles import ANGLES, period_of
from ..features.kinematics.points import SIDES
from ..formats.csv_rows import column_names, header_of, number, read_rows, whole
from ..formats.recording import reading
from .measures import ENDINGS, Measure, Session, measured
from .movements import layout_of, read_movements

_REQUIRED = ("frame", "time_s", "track_id")


def find_tables(paths: Sequence[str]) -> dict[str, Path]:
    """Return the given files, and the tables of features in the given folders, by the names of their sessions.

    A session has the name of its file, and that of the file's folder before it if the files have the same name.

    Raises:
        SourceError: a path does not exist, or a folder has no table of features.
        UsageError: two sessions have the same name.
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
    stems = [path.stem for path in found]
    if len({*stems}) < len(stems):
        stems = [f"{path.absolute().parent.name}/{path.stem}" for path in found]
    if twice := next((stem for stem in stems if stems.count(stem) > 1), None):
        raise UsageError(f"Two tables are named '{twice}', and the name is the session. Rename one of them.")
    return dict(zip(stems, found))


def read_session(path: Path, *, name: str = "", flagged: bool = False) -> Session:
    """Read a table that --features, --reps, --gait or --balance wrote.

    Args:
        path: of the table.
        name: of the session; that of the file if empty.
        flagged: whether impossible angles, whose quality is 0, are kept; otherwise they count as unknown.

    Raises:
        SourceError: the file is missing, damaged or no such table.
    """
    with reading(path):
        movements = layout_of(header_of(path)) is not None
    session = read_movements(path) if movements else _read_features(path, flagged=flagged)
    return replace(session, name=name or path.stem)


def _read_features(path: Path, *, flagged: bool) -> Session:
    rows: dict[int, array[float]] = defaultdict(lambda: array("d"))
    with reading(path):
        lines = read_rows(path)
        header = column_names(next(lines, (0, []))[1])
        measures = tuple(_measures(header))
        if not measures or not {*_REQUIRED} <= {*header}:
            raise SourceError(
                f"'{path}' is not a table of features or movements. Give one that --features, --reps, --gait or "
                "--balance wrote."
            )
        lead = [header.index(name) for name in _REQUIRED]
        columns = [header.index(measure.column) for measure in measures]
        doubts = [_quality(header, measure) for measure in measures]
        for line, cells in lines:
            try:
                index, time, person = (cells[column] for column in lead)
                values = [measured(cells[column], header[column]) for column in columns]
                if not flagged:
                    impossible = [doubt is not None and number(cells[doubt], header[doubt]) == 0 for doubt in doubts]
                    values = [math.nan if bad else value for value, bad in zip(values, impossible)]
                seconds = measured(time, "time_s")
                if math.isnan(seconds):
                    raise ValueError("time_s is empty")
                kept = rows[whole(person, "track_id", least=0)]
                kept.extend([whole(index, "frame", least=0), seconds, *values])
            except ValueError as error:
                raise SourceError(f"'{path}' is invalid in line {line}: {error}. Write it again.") from error
    tables = {person: np.array(kept).reshape(-1, 2 + len(measures)) for person, kept in sorted(rows.items())}
    return Session(
        path.stem,
        measures,
        {person: table[:, 0].astype(np.int64) for person, table in tables.items()},
        {person: table[:, 1] for person, table in tables.items()},
        {person: table[:, 2:] for person, table in tables.items()},
    )


def _is_features(path: Path) -> bool:
    try:
        header = header_of(path)
    except (OSError, SourceError):
        return False
    return {*_REQUIRED} <= {*header} and any(True for _ in _measures(header))


def _measures(header: Sequence[str]) -> list[Measure]:
    """Return the measures of a table: its angles, and speeds in metres or otherwise in body heights."""
    unit = "m/s" if "com_speed_m_s" in header else "body heights/s"
    units = dict.fromkeys(ANGLES, "deg") | {f"{name}_speed": unit for name in ("com", *LANDMARKS)}
    found = []
    for base, unit in units.items():
        column = f"{base}{ENDINGS[unit]}"
        if column in header:
            side = next((side for side in SIDES if base.startswith(f"{side}_")), "")
            found.append(Measure(column, base.removeprefix(f"{side}_"), side, unit, period_of(base)))
    return found


def _quality(header: Sequence[str], measure: Measure) -> int | None:
    """Return the column of a measure's quality; None if the table has none."""
    name = measure.column.removesuffix("_deg") + "_quality"
    return header.index(name) if name in header else None
