"""Our own keypoint table: one row a frame and person, keypoints side by side."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...models.geometry.keypoints import Skeleton
from ..types import STATES, State
from .recording import Recording, TimedTracks, tracks_of
from .sheet import Row, frames, header_of, names, number, places, read_rows, short, whole
from .table_writer import KEYPOINT_COLUMNS, TRACK_COLUMNS, CsvSink, columns, state_columns
from .trajectories import is_known_keypoint, skeleton_of

log = logging.getLogger("posetrack")

_LEAD = len(TRACK_COLUMNS)


def skeleton_of_columns(header: Sequence[str], path: Path) -> Skeleton:
    """Return the skeleton that the columns of a table name, wherever they are.

    Raises:
        ValueError: a column of the table is missing.
    """
    places(header, list(TRACK_COLUMNS))
    found: dict[str, set[str]] = {}
    for name in header:
        keypoint, _, part = name.rpartition("_")
        if keypoint and part in KEYPOINT_COLUMNS:
            found.setdefault(keypoint, set()).add(part)
    keypoints = []
    for keypoint, parts in found.items():
        if len(parts) == len(KEYPOINT_COLUMNS) or is_known_keypoint(keypoint):
            keypoints.append(keypoint)
        else:
            log.warning("'%s': the column %s_%s is not one of a keypoint and is left out.", path, keypoint, min(parts))
    skeleton = skeleton_of(keypoints, any_order=True)
    places(header, list(columns(skeleton)))
    return skeleton


def read_table(path: Path) -> Recording:
    """Read a table that `--csv` wrote, as it is or edited.

    Raises:
        SourceError: it is no such table.
    """
    try:
        skeleton = skeleton_of_columns(header_of(path), path)
    except ValueError as error:
        raise SourceError(f"'{path}' is no table of posetrack: {error}. Give a file that --csv wrote.") from error
    return Recording(skeleton, partial(_frames, path, skeleton), path)


def _frames(path: Path, skeleton: Skeleton) -> Iterator[TimedTracks]:
    rows = read_rows(path)
    header = names(next(rows)[1])
    states = state_columns(skeleton, states=set(state_columns(skeleton)) <= set(header))
    at = places(header, [*columns(skeleton), *states])
    for group in frames(rows, at[0], path):
        yield _frame([(line, [cells[place] for place in at]) for line, cells in group], skeleton, path)


def _frame(rows: list[Row], skeleton: Skeleton, path: Path) -> TimedTracks:
    """Return one frame of a table from its rows, whose cells are in the order of `columns`."""
    values, ids, states, points = [], [], [], []
    width = _LEAD + 3 * len(skeleton)
    for line, cells in rows:
        try:
            values.append([number(cell) for cell in cells[4:width]])
            points.append([STATES.index(state_of(cell)) if cell.strip() else 0 for cell in cells[width:]])
            ids.append(whole(cells[2], "track_id", least=1))
            states.append(state_of(cells[3]))
            index, time = whole(cells[0], "frame", least=0), number(cells[1])
        except ValueError as error:
            raise SourceError(f"'{path}' is broken in line {line}: {error}. Correct or remove the line.") from error
    numbers = np.array(values)
    keypoints = numbers[:, _LEAD - 4 :].reshape(len(rows), len(skeleton), 3)
    return (
        index,
        time,
        tracks_of(
            ids,
            keypoints[..., :2],
            keypoints[..., 2],
            boxes=numbers[:, 1:5],
            box_scores=numbers[:, 0],
            states=states,
            keypoint_states=points if points[0] else None,
        ),
    )


def state_of(cell: str) -> State:
    """Return the state that a cell names.

    Raises:
        ValueError: it is none.
    """
    try:
        return State(cell.strip())
    except ValueError:
        raise ValueError(f"state is '{short(cell)}', not one of {', '.join(State)}") from None


def write_table(path: Path, recording: Recording) -> None:
    """Write the table of `--csv`."""
    with CsvSink(path, skeleton=recording.skeleton, overwrite=True) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)
