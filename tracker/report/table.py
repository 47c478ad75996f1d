"""Read measurements from a table of features."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ..features.extraction.columns import LEAD, header
from ..types import State
from .measurements import Measurements


def is_features(path: Path) -> bool:
    """Return whether a file is a table that --features wrote."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return next(csv.reader(file), [])[: len(LEAD)] == list(LEAD)
    except (OSError, UnicodeDecodeError):
        return False


def read_features(path: Path) -> Measurements:
    """Read a table that --features wrote; missing values are NaN.

    Raises:
        SourceError: the table is damaged.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        measurements = Measurements("m" if "com_speed_m_s" in (rows.fieldnames or []) else "bh")
        try:
            for row in rows:
                identity, index, time = int(row["track_id"]), int(row["frame"]), float(row["time_s"])
                measurements.add(identity, index, time, State(row["state"]), height=_number(row["height_px"]))
                values = np.array(
                    [_number(row.get(name, row.get(header(name, "px")))) for name in measurements.columns]
                )
                measurements.series.add(identity, time, values)
        except (KeyError, TypeError, ValueError) as error:
            where = f"'{path}' is invalid in line {rows.line_num}"
            raise SourceError(f"{where}: {error}. Give a file that --features wrote.") from error
    return measurements


def _number(cell: str | None) -> float:
    return float(cell) if cell else math.nan
