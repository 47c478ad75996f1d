"""Our own keypoint table, read back: as a whole, or frame by frame."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...models.keypoints import Skeleton
from ..output.table import TRACK_COLUMNS, columns
from ..types import Poses, State, Tracks
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
    skeleton = _skeleton(header, path)
    states, values = _parsed(rows, width=len(header), path=path, line=2)
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


@contextmanager
def open_table(path: str | Path) -> Iterator[tuple[Skeleton, Iterator[tuple[int, float, Tracks]]]]:
    """Give the skeleton of a table that `--csv` wrote, and its frames as (index, seconds, tracks), one at a time.

    Frames without people are not in a table. Velocities are not either; they are zero.

    Raises:
        SourceError: there is no such file, or it is no such table.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            skeleton = _skeleton(next(rows, []), path)
            yield skeleton, _frames(rows, skeleton, path)
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read '{path}': there is no such file. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"Cannot read '{path}': {error}. Give a .csv file that --csv wrote.") from error


def _frames(rows: Iterator[list[str]], skeleton: Skeleton, path: Path) -> Iterator[tuple[int, float, Tracks]]:
    line = 2
    for _, group in groupby(rows, key=lambda row: row[:1]):
        people = list(group)
        states, values = _parsed(people, width=len(columns(skeleton)), path=path, line=line)
        line += len(people)
        points = values[:, _LEAD - 1 :].reshape(len(people), len(skeleton), 3)
        poses = Poses(values[:, 4:8], points[..., :2], np.nan_to_num(points[..., 2]), values[:, 3])
        ids = values[:, 2].astype(np.int64)
        yield int(values[0, 0]), float(values[0, 1]), Tracks(ids, poses, np.zeros((len(people), 2)), tuple(states))


def _skeleton(header: list[str], path: Path) -> Skeleton:
    skeleton = skeleton_of([name.removesuffix("_x") for name in header[_LEAD::3]])
    if header != list(columns(skeleton)):
        raise SourceError(f"'{path}' is no table of posetrack: its columns differ. Give a file that --csv wrote.")
    return skeleton


def _parsed(rows: Sequence[list[str]], *, width: int, path: Path, line: int) -> tuple[list[State], NDArray[np.float64]]:
    """Return the states of rows, of which the first is in that line, and their other cells (rows, width - 1)."""
    for number, row in enumerate(rows, start=line):
        if len(row) != width:
            raise SourceError(f"'{path}' is broken in line {number}: it has {len(row)} of {width} cells.")
    try:
        states = [State(row[3]) for row in rows]
        numbers = [[float(cell) if cell else np.nan for cell in row[:3] + row[4:]] for row in rows]
    except ValueError as error:
        raise SourceError(f"'{path}' is no table of posetrack: {error}. Give a file that --csv wrote.") from error
    return states, np.array(numbers, dtype=np.float64).reshape(len(rows), width - 1)
