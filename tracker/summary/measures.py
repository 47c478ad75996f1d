"""What is summarised: sessions and their measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..formats.csv_rows import number

Array = NDArray[np.float64]
ENDINGS = {  # of columns, by their unit as the sidecars name it
    "": "",
    "s": "_s",
    "deg": "_deg",
    "%": "_pct",
    "1/min": "_per_min",
    "m": "_m",
    "m/s": "_m_s",
    "body heights": "_bh",
    "body heights/s": "_bh_s",
}
_LARGEST = 1e10  # of a time in seconds, an angle or a speed


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity that is summarised.

    Attributes:
        column: name with side and unit, "left_knee_deg".
        name: without them, "knee"; with the kind of movement, "squat_knee_rom".
        side: "left", "right" or "".
        unit: a key of `ENDINGS`; "" if it depends on the row.
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
    """One table of features in frames, or of movements.

    Attributes:
        name: of the file, without its suffix.
        measures: M measures, in the order of the table.
        frames: (T,) numbers of each person's frames or movements, by ID.
        times: (T,) seconds of these frames, or of the movements' beginnings, by ID.
        values: (T, M) by ID; NaN where unknown.
        movements: whether the rows are whole movements instead of frames.
    """

    name: str
    measures: tuple[Measure, ...]
    frames: Mapping[int, NDArray[np.int64]]
    times: Mapping[int, Array]
    values: Mapping[int, Array]
    movements: bool = False


def measured(cell: str, name: str) -> float:
    """Return the number in a cell; NaN if it is empty.

    Raises:
        ValueError: it is not a number, or larger than any measurement.
    """
    value = number(cell, name)
    if abs(value) > _LARGEST:
        raise ValueError(f"{name} is {value:g}, which is not a measurement")
    return value
