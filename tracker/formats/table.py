"""Our own CSV: one row per person per frame, keypoints side by side. Its columns, its writer, its reader."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ...errors import SourceError
from ...models.geometry.keypoints import Skeleton
from ..partial import PartialFile, Transaction
from ..types import STATES, Frame, State, Tracks
from .csv_rows import Row, column_indices, column_names, header_of, number, read_rows, rows_by_frame, shortened, whole
from .recording import Recording, TimedTracks, tracks_of
from .trajectories import is_known_keypoint, skeleton_of

log = logging.getLogger("posetrack")

TRACK_COLUMNS = {
    "frame": "number of the frame in the source, from 0",
    "time_s": "presentation time of the frame in the source, seconds",
    "track_id": "the person's identity, a positive integer that is never used twice in a file",
    "state": "'measured' in this frame, 'predicted' by the motion model, or 'interpolated' between frames",
    "score": "the detector's confidence in the person, 0 to 1",
    "x1": "left edge of the person's box, pixels from the left edge of the displayed frame",
    "y1": "top edge of the person's box, pixels from the top edge of the displayed frame",
    "x2": "right edge of the person's box, pixels from the left edge of the displayed frame",
    "y2": "bottom edge of the person's box, pixels from the top edge of the displayed frame",
}
KEYPOINT_COLUMNS = {
    "x": "pixels from the left edge of the displayed frame; empty where missing",
    "y": "pixels from the top edge of the displayed frame; empty where missing",
    "score": "confidence in the keypoint, 0 to 1; empty where missing",
}
STATE_COLUMN = {
    "state": "'measured' in this frame, 'predicted' by the motion model, or 'interpolated' between frames; empty where "
    "missing"
}
PIXEL_DECIMALS, SCORE_DECIMALS = 2, 4
_LEAD = len(TRACK_COLUMNS)


def columns(skeleton: Skeleton, *, states: bool = False) -> dict[str, str]:
    """Return the table's columns in order, each with its meaning and unit; with those of `state_columns` if asked."""
    return TRACK_COLUMNS | _keypoint_columns(skeleton, KEYPOINT_COLUMNS) | state_columns(skeleton, states=states)


def state_columns(skeleton: Skeleton, *, states: bool = True) -> dict[str, str]:
    """Return the columns of the keypoints' states, which follow all others; none without `states`."""
    return _keypoint_columns(skeleton, STATE_COLUMN) if states else {}


def _keypoint_columns(skeleton: Skeleton, parts: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{name}_{part}": f"{name.replace('_', ' ')}: {meaning}"
        for name in skeleton.keypoints
        for part, meaning in parts.items()
    }


class CsvSink:
    """Write one row per person per frame.

    Rows are passed to the operating system before `write` returns, so a crash leaves a valid table under its partial
    name.

    Args:
        path: of the complete table.
        skeleton: of the keypoints.
        overwrite: whether an existing file may be replaced.
        states: whether the state of each keypoint is written too.
        results: gives the table its name; None gives it at the end of the `with` block.

    Raises:
        OutputError: the name is taken or the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        skeleton: Skeleton,
        overwrite: bool = False,
        states: bool = False,
        results: Transaction | None = None,
    ) -> None:
        header = ",".join(columns(skeleton, states=states)) + "\n"
        self._file = PartialFile(path, header=header, overwrite=overwrite, results=results)
        self._decimals = np.array([SCORE_DECIMALS] + 4 * [PIXEL_DECIMALS] + len(skeleton) * [2, 2, SCORE_DECIMALS])
        self._row = ",".join(f"%.{n}f" for n in self._decimals)
        self._num_keypoints, self._states = len(skeleton), states

    @property
    def path(self) -> Path:
        """Path of the complete table."""
        return self._file.path

    @property
    def partial(self) -> Path:
        """Path of the table until it is complete."""
        return self._file.partial

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def restart(self) -> None:
        """Remove all rows."""
        self._file.clear()

    def write(self, frame: Frame, tracks: Tracks) -> None:
        """Append the rows of one frame."""
        self.write_rows(frame.index, frame.time, tracks)

    def write_rows(self, index: int, time: float, tracks: Tracks) -> None:
        """Append the rows of one frame, given its number and time in seconds."""
        if not len(tracks):
            return
        lead = f"{index},{time:.6f},"
        cells = _state_cells(tracks) if self._states else [""] * len(tracks)
        columns = zip(tracks.ids.tolist(), tracks.states, self._numbers(tracks), cells, strict=True)
        rows = [f"{lead}{track},{state},{numbers}{states}\n" for track, state, numbers, states in columns]
        self._file.write("".join(rows).encode())

    def _numbers(self, tracks: Tracks) -> list[str]:
        """Format the numbers of each row: score, box and keypoints; missing values are empty."""
        poses = tracks.poses
        if poses.keypoints.shape[1] != self._num_keypoints:
            raise ValueError(
                f"The poses have {poses.keypoints.shape[1]} keypoints and the table {self._num_keypoints}; "
                "give CsvSink the skeleton of the model."
            )
        assert poses.box_scores is not None
        keypoints = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)  # (N, K, 3)
        keypoints = np.where(np.isfinite(keypoints).all(-1, keepdims=True), keypoints, np.nan)
        n = len(poses)
        values = np.concatenate([poses.box_scores[:, None], poses.boxes, keypoints.reshape(n, -1)], axis=1)
        values = np.where(np.isfinite(values), values, np.nan).astype(np.float64)  # (N, 5 + 3 K)
        scale = 10.0**self._decimals
        values = np.rint(values * scale) / scale + 0.0  # + 0.0 turns -0.00 into 0.00
        return [(self._row % tuple(row)).replace("nan", "") for row in values.tolist()]


def _state_cells(tracks: Tracks) -> list[str]:
    """Return the states of each person's keypoints as the end of a row, empty where a keypoint is missing."""
    codes = np.where(np.isfinite(tracks.keypoints).all(-1), tracks.keypoint_states, len(STATES))
    ends = [f",{state}" for state in STATES] + [","]
    return ["".join([ends[code] for code in row]) for row in codes.tolist()]


def write_table(path: Path, recording: Recording) -> None:
    """Write the table of `--csv`."""
    with CsvSink(path, skeleton=recording.skeleton, overwrite=True) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)


def skeleton_of_columns(header: Sequence[str], path: Path) -> Skeleton:
    """Return the skeleton of a table's columns, which may be in any order.

    Raises:
        ValueError: a column of the table is missing.
    """
    column_indices(header, list(TRACK_COLUMNS))
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
            log.warning(
                "'%s': the column %s_%s does not belong to a keypoint and is ignored.", path, keypoint, min(parts)
            )
    skeleton = skeleton_of(keypoints, any_order=True)
    column_indices(header, list(columns(skeleton)))
    return skeleton


def read_table(path: Path) -> Recording:
    """Read a table that `--csv` wrote, possibly edited.

    Raises:
        SourceError: the table is invalid.
    """
    try:
        skeleton = skeleton_of_columns(header_of(path), path)
    except ValueError as error:
        raise SourceError(f"'{path}' is not a table of posetrack: {error}. Give a file that --csv wrote.") from error
    return Recording(skeleton, partial(_frames, path, skeleton), path)


def _frames(path: Path, skeleton: Skeleton) -> Iterator[TimedTracks]:
    rows = read_rows(path)
    header = column_names(next(rows)[1])
    states = state_columns(skeleton, states=set(state_columns(skeleton)) <= set(header))
    wanted = list(columns(skeleton))
    at = column_indices(header, [*wanted, *states])
    for group in rows_by_frame(rows, at[0], path):
        yield _frame([(line, [cells[place] for place in at]) for line, cells in group], wanted, path)


def _frame(rows: list[Row], names: list[str], path: Path) -> TimedTracks:
    """Return one frame of a table from its rows, whose first cells are in the order of the names."""
    values, ids, states, points = [], [], [], []
    width = len(names)
    for line, cells in rows:
        try:
            values.append([number(*pair) for pair in zip(cells[4:width], names[4:])])
            points.append([STATES.index(state_of(cell)) if cell.strip() else 0 for cell in cells[width:]])
            ids.append(whole(cells[2], "track_id", least=1))
            states.append(state_of(cells[3]))
            index, time = whole(cells[0], "frame", least=0), number(cells[1], "time_s")
        except ValueError as error:
            raise SourceError(f"'{path}' is invalid in line {line}: {error}. Correct or remove the line.") from error
    numbers = np.array(values)
    keypoints = numbers[:, _LEAD - 4 :].reshape(len(rows), -1, 3)
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
    """Return the state in a cell.

    Raises:
        ValueError: it is not a state.
    """
    try:
        return State(cell.strip())
    except ValueError:
        raise ValueError(f"state is '{shortened(cell)}', not one of {', '.join(State)}") from None
