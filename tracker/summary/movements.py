"""Read tables of whole movements: the measures of each person's repetitions, gait cycles, standing and jumps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from math import isnan
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import SourceError
from ..features.kinematics.points import SIDES
from ..formats.csv_rows import column_indices, column_names, read_rows, whole
from ..formats.recording import reading
from ..output.movement import BALANCE_COLUMNS, GAIT_COLUMNS, REPETITION_COLUMNS
from .measures import ENDINGS, Measure, Session, measured

_GROUPS = (  # columns of a table, and those of them that say what kind of movement a row is
    (REPETITION_COLUMNS, ("exercise",)),
    (GAIT_COLUMNS, ("side",)),
    (BALANCE_COLUMNS, ("kind", "plane")),
)
_STRIKES = {"heel_strike_s", "opposite_toe_off_s", "opposite_heel_strike_s", "toe_off_s"}
_MOMENTS = {"start_s", "bottom_s", "end_s"} | _STRIKES  # seconds of the recording, which are no measures


class Layout(NamedTuple):
    """What a table of movements holds.

    Attributes:
        groups: columns that say what kind of movement a row is.
        start: column of its beginning, seconds.
        units: of the columns that are measures.
    """

    groups: tuple[str, ...]
    start: str
    units: Mapping[str, str]


def layout_of(header: Sequence[str]) -> Layout | None:
    """Return what a table of movements holds; None for any other table."""
    for columns, groups in _GROUPS:
        if {*columns} <= {*header}:
            start = next(name for name in columns if name in _MOMENTS)
            units = {name: unit for name, (unit, _) in columns.items() if unit and name not in _MOMENTS}
            return Layout(groups, start, units)
    return None


def read_movements(path: Path) -> Session:
    """Read a table that --reps, --gait or --balance wrote. Each kind of movement has its own measures.

    Raises:
        SourceError: the file is missing, damaged or no such table.
    """
    rows: dict[int, list[tuple[float, dict[Measure, float]]]] = defaultdict(list)
    with reading(path):
        lines = read_rows(path)
        header = column_names(next(lines, (0, []))[1])
        layout = layout_of(header)
        if layout is None:
            raise SourceError(f"'{path}' is not a table of movements. Give one that --reps, --gait or --balance wrote.")
        person, start, *groups = column_indices(header, ["track_id", layout.start, *layout.groups])
        columns = dict(zip(layout.units, column_indices(header, list(layout.units))))
        for line, cells in lines:
            try:
                kind = tuple(cells[column].strip() for column in groups)
                values = {
                    _measure(kind, name, unit): measured(cells[columns[name]], name)
                    for name, unit in layout.units.items()
                }
                row = measured(cells[start], layout.start), values
                rows[whole(cells[person], "track_id", least=0)].append(row)
            except ValueError as error:
                raise SourceError(f"'{path}' is invalid in line {line}: {error}. Write it again.") from error
    return _session(path.stem, rows)


def _session(name: str, rows: Mapping[int, list[tuple[float, dict[Measure, float]]]]) -> Session:
    people = sorted(rows)
    measures = dict.fromkeys(
        measure for person in people for _, row in rows[person] for measure, value in row.items() if not isnan(value)
    )
    return Session(
        name,
        tuple(measures),
        frames={person: np.arange(len(rows[person])) for person in people},
        times={person: np.array([start for start, _ in rows[person]]) for person in people},
        values={
            person: np.array([[row.get(measure, np.nan) for measure in measures] for _, row in rows[person]])
            for person in people
        },
        movements=True,
    )


@cache  # one for each kind, not for each row
def _measure(kind: tuple[str, ...], column: str, unit: str) -> Measure:
    """Return the measure of a column for one kind of movement: the depth of squats is not that of lunges."""
    end = ENDINGS[unit]
    if not column.endswith(end):  # the depth of a repetition has the unit of what it counts
        unit = end = ""
    words = column.removesuffix(end)
    side = next((side for side in SIDES if words.startswith(f"{side}_") or side in kind), "")
    lead = [word for word in kind if word and word != side and not words.startswith(f"{word}_")]
    name = "_".join([*lead, words.removeprefix(f"{side}_")])
    return Measure(f"{side}_{name}{end}" if side else f"{name}{end}", name, side, unit, None)
