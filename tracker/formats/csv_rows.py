"""Read CSV rows as spreadsheets save them: BOM, `;` with decimal commas, blank lines, added or reordered columns."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path

from ...errors import SourceError

_SEPARATORS = ",;\t"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UNKNOWN = {"", "na", "nan", "n/a", "null", "none"}  # empty cells as written by R, pandas and spreadsheets
MAX_ROWS = 100_000  # largest number per frame: 5,000 people of 17 keypoints in the tidy table

Row = tuple[int, list[str]]  # line number, from 1, and cells


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the header and every row that is not blank.

    Raises:
        SourceError: a line is not CSV in UTF-8 or UTF-16, or its number of cells differs from the header.
    """
    with path.open("rb") as file:
        encoding = "utf-16" if file.read(2) in _UTF16 else "utf-8-sig"
    with path.open(newline="", encoding=encoding) as file:
        width, number = 0, 0
        try:
            first = file.readline()
            above = first[:4].lower() == "sep="  # Excel's line above the header
            separator = first[4:5] if above else max(_SEPARATORS, key=first.count)
            rows = csv.reader(file if above else chain([first], file), delimiter=separator)
            for cells in rows:
                number = rows.line_num + above
                if not any(cell.strip() for cell in cells):
                    continue
                width = width or len(cells)
                if len(cells) != width and (len(cells) < width or any(cells[width:])):
                    raise SourceError(f"'{path}' is invalid in line {number}: it has {len(cells)} of {width} cells.")
                yield number, cells
        except UnicodeError as error:
            raise SourceError(f"'{path}' is not UTF-8 after line {number}. Save it as 'CSV UTF-8'.") from error
        except (csv.Error, TypeError) as error:  # a TypeError for an invalid separator
            where = f"'{path}' is invalid after line {number}"
            raise SourceError(f"{where}: {error}. Export it again, or remove that line.") from error


def header_of(path: Path) -> list[str]:
    """Return the column names; empty for an empty file."""
    return next((column_names(cells) for _, cells in read_rows(path)), [])


def column_names(cells: Sequence[str]) -> list[str]:
    """Return names without surrounding blanks."""
    return [cell.strip() for cell in cells]


def column_indices(header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the indices of columns.

    Raises:
        ValueError: a column is missing or occurs twice.
    """
    if missing := [name for name in wanted if name not in header]:
        rest = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(f"it lacks the column{'s' * (len(missing) > 1)} {', '.join(missing[:5])}{rest}")
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise ValueError(f"it has the column {twice[0]} twice")
    return [header.index(name) for name in wanted]


def number(cell: str, name: str) -> float:
    """Return the number in a cell of a column, with a decimal point or comma; NaN if it is empty.

    Raises:
        ValueError: it is not a number.
    """
    if not cell:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        if cell.strip().lower() in _UNKNOWN:
            return math.nan
        try:
            return float(cell.replace(",", "."))
        except ValueError:
            raise ValueError(f"{name} is '{shortened(cell)}', not a number") from None


def whole(cell: str, name: str, *, least: int) -> int:
    """Return a whole number, which a spreadsheet may have saved as 5.0 or 5,0.

    Raises:
        ValueError: it is not a whole number, or below `least`.
    """
    value = number(cell, name)
    if not (value.is_integer() and least <= value < 2**53):
        raise ValueError(f"{name} is '{shortened(cell)}', not a whole number from {least} on")
    return int(value)


def shortened(cell: str) -> str:
    """Return a cell, shortened for errors."""
    return cell if len(cell) <= 40 else f"{cell[:37]}..."


def rows_by_frame(rows: Iterator[Row], column: int, path: Path) -> Iterator[list[Row]]:
    """Yield the rows of each frame.

    Raises:
        SourceError: a frame has more than `MAX_ROWS`.
    """
    for _, group in groupby(rows, key=lambda row: row[1][column]):
        same = []
        for row in group:
            same.append(row)
            if len(same) > MAX_ROWS:
                cell = shortened(row[1][column])
                raise SourceError(f"'{path}' has {MAX_ROWS} rows of frame {cell} by line {row[0]}. Number its frames.")
        yield same
