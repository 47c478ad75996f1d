"""The tidy table: one row a frame, person and keypoint, as seaborn and the tidyverse take it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import SourceError
from ...models.keypoints import Skeleton
from ..types import State
from .recording import Recording, TimedTracks, tracks_of
from .table import csv_groups
from .trajectories import skeleton_of

COLUMNS = ("frame", "time_s", "track_id", "state", "keypoint", "x", "y", "score")


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
    """Read the table; boxes are those around the keypoints.

    Raises:
        SourceError: it is no such table.
    """
    with path.open(newline="", encoding="utf-8") as file:
        skeleton = skeleton_of([row[4] for row in next(csv_groups(file, path, by=(0, 2)), [])])
    return Recording(skeleton, partial(_frames, path, skeleton), path)


def _frames(path: Path, skeleton: Skeleton) -> Iterator[TimedTracks]:
    with path.open(newline="", encoding="utf-8") as file:
        try:
            for rows in csv_groups(file, path, by=(0,)):
                people = rows[:: len(skeleton)]
                if [row[4] for row in rows] != list(skeleton.keypoints) * len(people):
                    raise ValueError(f"frame {rows[0][0]} has not every keypoint of every person once, in one order")
                values = np.array([[float(cell) if cell else np.nan for cell in row[5:]] for row in rows])
                points = values.reshape(len(people), len(skeleton), 3)
                states = [State(row[3]) for row in people]
                ids = [int(row[2]) for row in people]
                yield int(rows[0][0]), float(rows[0][1]), tracks_of(ids, points[..., :2], points[..., 2], states=states)
        except (ValueError, csv.Error) as error:
            raise SourceError(f"'{path}' is no long table of posetrack: {error}. Give one that it wrote.") from error
