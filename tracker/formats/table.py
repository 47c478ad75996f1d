"""Our own keypoint table, read back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ..output.table import TRACK_COLUMNS, columns
from ..types import State
from .trajectories import Trajectories, from_columns, skeleton_of

_LEAD = len(TRACK_COLUMNS)


def read_table(text: str, path: Path) -> Trajectories:
    """Read a table that `--csv` wrote.

    Args:
        text: of the file.
        path: named in errors.

    Raises:
        SourceError: it is no such table.
    """
    header, *rows = list(csv.reader(text.splitlines())) or [[]]
    skeleton = skeleton_of([name.removesuffix("_x") for name in header[_LEAD::3]])
    if header != list(columns(skeleton)):
        raise SourceError(f"'{path}' is no table of posetrack: its columns differ. Give a file that --csv wrote.")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise SourceError(f"'{path}' is broken in line {number}: it has {len(row)} of {len(header)} cells.")
    try:
        states = [State(row[3]) for row in rows]
        numbers = [[float(cell) if cell else np.nan for cell in row[:3] + row[4:]] for row in rows]
    except ValueError as error:
        raise SourceError(f"'{path}' is no table of posetrack: {error}. Give a file that --csv wrote.") from error
    values = np.array(numbers, dtype=np.float64).reshape(len(rows), len(header) - 1)
    points = values[:, _LEAD - 1 :].reshape(len(rows), len(skeleton), 3)
    return from_columns(
        skeleton,
        frames=values[:, 0],
        times=values[:, 1],
        ids=values[:, 2],
        box_scores=values[:, 3],
        boxes=values[:, 4:8],
        keypoints=points[..., :2],
        scores=np.nan_to_num(points[..., 2]),
        predicted=[state is not State.MEASURED for state in states],
    )
