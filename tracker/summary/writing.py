"""Write rows as a table, with a sidecar that defines its statistics."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...errors import SourceError
from ..output.sidecar import versions, write_facts
from ..partial import PartialFile, check_inputs


def write_table(
    path: Path,
    rows: Iterable[Mapping[str, object]],
    *,
    definitions: Mapping[str, str],
    sources: Iterable[Path],
    overwrite: bool = False,
) -> None:
    """Write rows and `FILE.json`; a column is there if any row has it, and an unknown value is an empty cell.

    Raises:
        OutputError: the file exists or cannot be written.
        SourceError: there is no row.
        UsageError: the result is one of the `sources`.
    """
    check_inputs(path, *sources)
    kept = list(rows)
    if not kept:
        raise SourceError(f"Cannot write '{path}': the tables contain no person with known values. Give other tables.")
    names = list(dict.fromkeys(name for row in kept for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in kept)
    with PartialFile(path, overwrite=overwrite) as file:
        file.write(text.getvalue().encode())
    document = {"complete": True, "versions": versions(), "definitions": definitions}
    write_facts(path, document, complete=True, results=None)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{round(value, 9) + 0.0:.6g}" if math.isfinite(value) else ""  # no remainder of equal values, and no -0
    return "" if value is None else str(value)
