"""Tidy CSV, as for seaborn and the tidyverse: one row per keypoint per person per frame."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...models.geometry.keypoints import Skeleton
from ..types import State
from .csv_rows import Row, column_indices, column_names, number, read_rows, rows_by_frame, shortened, whole
from .recording import Recording, TimedTracks, tracks_of
from .table import state_of
from .trajectories import skeleton_of

COLUMNS = ("frame", "time_s", "track_id", "state", "keypoint", "x", "y", "score")
_MAX_KEYPOINTS = 1000  # names in a table; a whole body has 133


def write_long(path: Path, recording: Recording) -> None:
    """Write the table; x, y and score are empty where a keypoint is missing."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(COLUMNS) + "\n")
        for index, time, tracks in recording.timed():
            people = zip(tracks.ids.tolist(), tracks.states, tracks.poses.keypoints.tolist(), tracks.poses.scores)
            for person, state, keypoints, scores in people:
                lead = f"{index},{time:.6f},{person},{state}"
                for name, (x, y), score in zip(recording.skeleton.keypoints, keypoints, scores.tolist()):
                    point = f"{x:.2f},{y:.2f},{score:.4f}" if x == x and y == y else ",,"
                    file.write(f"{lead},{name},{point}\n")


def read_long(path: Path) -> Recording:
    """Read the table; the rows of a frame may be in any order and incomplete; boxes enclose the keypoints.

    Raises:
        SourceError: the table is invalid.
    """
    rows = _rows(path)
    next(rows)
    found: dict[str, None] = {}
    for line, cells in rows:
        found[cells[4].strip()] = None
        if len(found) > _MAX_KEYPOINTS:
            raise _broken(path, line, f"there are already {len(found)} keypoints, the last one '{shortened(cells[4])}'")
    skeleton = skeleton_of(list(found), any_order=True)
    return Recording(skeleton, partial(_frames, path, skeleton), path)


def _rows(path: Path) -> Iterator[Row]:
    """Return the rows with their cells in the order of `COLUMNS`, the header first."""
    rows = read_rows(path)
    line, header = next(rows)
    at = column_indices(column_names(header), COLUMNS)
    yield line, list(COLUMNS)
    for line, cells in rows:
        yield line, [cells[place] for place in at]


def _broken(path: Path, line: int, why: object) -> SourceError:
    return SourceError(f"'{path}' is not a long table of posetrack: in line {line} {why}. Correct or remove the line.")


def _frames(path: Path, skeleton: Skeleton) -> Iterator[TimedTracks]:
    rows = _rows(path)
    next(rows)
    column = {name: k for k, name in enumerate(skeleton.keypoints)}
    for group in rows_by_frame(rows, 0, path):
        people: dict[int, tuple[State, dict[int, list[float]]]] = {}
        for line, (frame, seconds, person, state, name, *cells) in group:
            try:
                index, time = whole(frame, "frame", least=0), number(seconds, "time_s")
                _, points = people.setdefault(whole(person, "track_id", least=1), (state_of(state), {}))
                if points.setdefault(column[name.strip()], values := [*map(number, cells, COLUMNS[5:])]) is not values:
                    raise ValueError(f"the {name} of person {person} occurs twice")
            except ValueError as error:
                raise _broken(path, line, error) from error
        found = np.full((len(people), len(skeleton), 3), np.nan)
        for row, (_, points) in enumerate(people.values()):
            found[row, list(points)] = list(points.values())
        states = [state for state, _ in people.values()]
        yield index, time, tracks_of(list(people), found[..., :2], found[..., 2], states=states)
