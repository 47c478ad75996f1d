"""The tables of a page: people, events, and what was measured of each person."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..features.events.event import COUNT
from ..output.palette import palette
from ..types import State
from .data import css, label
from .measurements import Measurements
from .person import Person

MAX_EVENTS = 300  # in the page's table


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that names a person or a time.

    Attributes:
        text: as shown and saved.
        color: of the person's dot, in CSS notation; empty without.
        seek: seconds and person that a click on the cell shows; None without.
    """

    text: str
    color: str = ""
    seek: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        cells: from left to right.
        person: ID of the person in the row, if the table shows one person at a time.
        weak: whether its values hardly deserve belief, so that the page shows them in grey.
    """

    cells: tuple[Cell | str, ...]
    person: int | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the unit of each column in its header.

    Attributes:
        name: in the file name of the CSV.
        title: heading.
        columns: headers.
        rows: with as many cells.
        lead: text above the table.
        note: text below it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[Row]
    lead: str = ""
    note: str = ""


def number(value: float, decimals: int = 0) -> str:
    """Return a number as text, empty if it is unknown."""
    return "" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"  # no -0


def without_empty_columns(table: Table) -> Table:
    """Return a table without the columns that have no value in any row."""
    kept = [i for i in range(len(table.columns)) if any(row.cells[i] != "" for row in table.rows)]
    rows = [replace(row, cells=tuple(row.cells[i] for i in kept)) for row in table.rows]
    return replace(table, columns=tuple(table.columns[i] for i in kept), rows=rows)


def person_cell(identity: int) -> Cell:
    """Return the cell that names a person."""
    return Cell(str(identity), color=css(palette(identity).base))


def quality(measurements: Measurements) -> Table:
    """Return how well each person was seen."""
    columns = ("person", "from (s)", "to (s)", "frames", "coverage (%)", "interpolated (frames)")
    rows = [
        Row(
            (
                *(person_cell(person.id), number(person.start, 2), number(person.end, 2)),
                *(str(person.states.total()), number(100 * person.coverage)),
                *(str(person.states[state]) for state in (State.INTERPOLATED, State.PREDICTED)),
                *(number(person.mean_score, 2), number(person.mean_jitter, 1)),
            )
        )
        for person in _in_order(measurements)
    ]
    note = (
        "Coverage: share of the frames of a track in which the person was seen. Mean score: of all keypoints, 0 to 1. "
        "Jitter: distance of the median keypoint from the line between its neighbours in time, mean over the frames; "
        "fast motion adds to it."
    )
    return Table("quality", "Quality", (*columns, "predicted (frames)", "mean score", "jitter (px)"), rows, note=note)


def events(measurements: Measurements) -> Table:
    """Return the first events."""
    ordered = sorted(measurements.events, key=lambda event: (event.time, event.track))
    more = max(0, measurements.event_counts.total() - MAX_EVENTS)
    return Table(
        "events",
        "Events",
        ("time (s)", "person", "event", "value", "unit", "confidence"),
        [
            Row(
                (
                    Cell(f"{event.time:.2f}", seek=(event.time, event.track)),
                    person_cell(event.track),
                    label(event.event),
                    "" if math.isnan(event.value) else f"{event.value:.4g}",
                    "" if math.isnan(event.value) else measurements.units.get(event.event, COUNT),
                    f"{event.confidence:.2f}",
                )
            )
            for event in ordered[:MAX_EVENTS]
        ],
        lead=", ".join(f"{label(name)}: {n}" for name, n in measurements.event_counts.most_common()),
        note=f"{more} more are in the table of events." if more else "",
    )


def _in_order(measurements: Measurements) -> list[Person]:
    return sorted(measurements.people.values(), key=lambda person: person.id)
