"""CSV as people and spreadsheets leave it: a BOM, `;` with decimal commas, blank lines, columns added or reordered."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path

from ...errors import SourceError

_SEPARATORS = ",;\t"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UNKNOWN = {"", "na", "nan", "n/a", "null", "none"}  # as R, pandas and spreadsheets write a cell without a value
MAX_ROWS = 100_000  # of a frame, held at once: 5,000 people of 17 keypoints in the tidy table

Row = tuple[int, list[str]]  # number of the line, from 1, and its cells


def read_rows(path: Path) -> Iterator[Row]:
    """Return the header and every row below it that is not blank, one at a time.

    Raises:
        SourceError: a line is no CSV in UTF-8 or UTF-16, or has another number of cells than the header.
    """
    with path.open("rb") as file:
        encoding = "utf-16" if file.read(2) in _UTF16 else "utf-8-sig"
    with path.open(newline="", encoding=encoding) as file:
        width, number = 0, 0
        try:
            first = file.readline()
            above = first[:4].lower() == "sep="  # Excel's own line above the header
            separator = first[4:5] if above else max(_SEPARATORS, key=first.count)
            rows = csv.reader(file if above else chain([first], file), delimiter=separator)
            for cells in rows:
                number = rows.line_num + above
                if not any(cell.strip() for cell in cells):
                    continue
                width = width or len(cells)
                if len(cells) != width and (len(cells) < width or any(cells[width:])):
                    raise SourceError(f"'{path}' is broken in line {number}: it has {len(cells)} of {width} cells.")
                yield number, cells
        except UnicodeError as error:
            raise SourceError(f"'{path}' is not UTF-8 after line {number}. Save it as 'CSV UTF-8'.") from error
        except (csv.Error, TypeError) as error:  # a TypeError for a separator that is none
            where = f"'{path}' is broken after line {number}"
            raise SourceError(f"{where}: {error}. Export it again, or remove that line.") from error


def header_of(path: Path) -> list[str]:
    """Return the names of the columns; none in an empty file."""
    return next((names(cells) for _, cells in read_rows(path)), [])


def names(cells: Sequence[str]) -> list[str]:
    """Return names without the blanks around them."""
    return [cell.strip() for cell in cells]


def places(header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where the wanted columns are.

    Raises:
        ValueError: one is missing, or there twice.
    """
    if missing := [name for name in wanted if name not in header]:
        rest = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(f"it lacks the column{'s' * (len(missing) > 1)} {', '.join(missing[:5])}{rest}")
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise ValueError(f"it has the column {twice[0]} twice")
    return [header.index(name) for name in wanted]


def number(cell: str) -> float:
    """Return the number in a cell, with a decimal point or comma; NaN for an empty one.

    Raises:
        ValueError: it is no number.
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
            raise ValueError(f"'{short(cell)}' is no number") from None


def whole(cell: str, name: str, *, least: int) -> int:
    """Return a whole number, which a spreadsheet may have written as 5.0 or 5,0.

    Raises:
        ValueError: it is none, or below `least`.
    """
    value = number(cell)
    if not (value.is_integer() and least <= value < 2**53):
        raise ValueError(f"{name} is '{short(cell)}', not a whole number from {least} on")
    return int(value)


def short(cell: str) -> str:
    """Return a cell as an error shows it."""
    return cell if len(cell) <= 40 else f"{cell[:37]}..."


def frames(rows: Iterator[Row], column: int, path: Path) -> Iterator[list[Row]]:
    """Return the rows of one frame after the other.

    Raises:
        SourceError: a frame has more than `MAX_ROWS`.
    """
    for _, group in groupby(rows, key=lambda row: row[1][column]):
        alike = []
        for row in group:
            alike.append(row)
            if len(alike) > MAX_ROWS:
                cell = short(row[1][column])
                raise SourceError(f"'{path}' has {MAX_ROWS} rows of frame {cell} by line {row[0]}. Number its frames.")
        yield alike
