"""Our own keypoint table: one row a frame and person, keypoints side by side."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...models.keypoints import Skeleton
from ..output.table import TRACK_COLUMNS, CsvSink, columns
from ..types import State
from .recording import Recording, TimedTracks, tracks_of
from .trajectories import skeleton_of

_LEAD = len(TRACK_COLUMNS)


def skeleton_of_columns(header: list[str]) -> Skeleton | None:
    """Return the skeleton that the columns of a table speak of; None where it is no table of ours."""
    skeleton = skeleton_of([name.removesuffix("_x") for name in header[_LEAD::3]])
    return skeleton if header == list(columns(skeleton)) else None


def read_table(path: Path) -> Recording:
    """Read a table that `--csv` wrote.

    Raises:
        SourceError: it is no such table.
    """
    with path.open(newline="", encoding="utf-8") as file:
        skeleton = skeleton_of_columns(next(csv.reader(file), []))
    if skeleton is None:
        raise SourceError(f"'{path}' is no table of posetrack: its columns differ. Give a file that --csv wrote.")
    return Recording(skeleton, partial(_frames, path, skeleton), path)


def _frames(path: Path, skeleton: Skeleton) -> Iterator[TimedTracks]:
    with path.open(newline="", encoding="utf-8") as file:
        try:
            for rows in csv_groups(file, path, by=(0,)):
                yield _frame(rows, skeleton)
        except (ValueError, csv.Error) as error:
            raise SourceError(f"'{path}' is no table of posetrack: {error}. Give a file that --csv wrote.") from error


def csv_groups(file: Iterable[str], path: Path, *, by: tuple[int, ...]) -> Iterator[list[list[str]]]:
    """Return successive rows below the header that are alike in the cells `by`.

    Raises:
        SourceError: a row has another number of cells than the header.
    """
    rows = csv.reader(file)
    width = len(next(rows, []))
    for _, group in groupby(enumerate(rows, start=2), key=lambda row: [row[1][cell : cell + 1] for cell in by]):
        alike = list(group)
        for number, row in alike:
            if len(row) != width:
                raise SourceError(f"'{path}' is broken in line {number}: it has {len(row)} of {width} cells.")
        yield [row for _, row in alike]


def _frame(rows: list[list[str]], skeleton: Skeleton) -> TimedTracks:
    """Return one frame of a table from its rows."""
    values = np.array([[float(cell) if cell else np.nan for cell in row[4:]] for row in rows])
    points = values[:, _LEAD - 4 :].reshape(len(rows), len(skeleton), 3)
    tracks = tracks_of(
        [int(row[2]) for row in rows],
        points[..., :2],
        points[..., 2],
        boxes=values[:, 1:5],
        box_scores=values[:, 0],
        states=[State(row[3]) for row in rows],
    )
    return int(rows[0][0]), float(rows[0][1]), tracks


def write_table(path: Path, recording: Recording) -> None:
    """Write the table of `--csv`."""
    with CsvSink(path, skeleton=recording.skeleton, overwrite=True) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)
