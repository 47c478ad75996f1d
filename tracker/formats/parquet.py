"""The keypoint table as Parquet: the columns of the CSV, typed and not rounded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...models.geometry.keypoints import Skeleton
from .csv_rows import MAX_ROWS
from .libraries import library
from .recording import MAX_INDEX, Recording, TimedTracks, tracks_of
from .table import columns, skeleton_of_columns, state_of

_ROWS = 2048  # per row group
_CELL, _SPARE = 64, 1_000_000  # bytes of a value, and of what else a column stores


def write_parquet(path: Path, recording: Recording) -> None:
    """Write the table, by row groups; null where a keypoint is missing."""
    pa, pq = library("pyarrow", "Parquet"), library("pyarrow.parquet", "Parquet")
    kinds = {"frame": pa.int64(), "time_s": pa.float64(), "track_id": pa.int64(), "state": pa.string()}
    schema = pa.schema([(name, kinds.get(name, pa.float32())) for name in columns(recording.skeleton)])
    with pq.ParquetWriter(path, schema) as writer:
        block: list[TimedTracks] = []
        rows = 0
        for frame in recording.timed():
            block.append(frame)
            rows += len(frame[2])
            if rows >= _ROWS:
                writer.write_batch(_batch(pa, schema, block))
                block, rows = [], 0
        writer.write_batch(_batch(pa, schema, block))


def _batch(pa: Any, schema: Any, block: list[TimedTracks]) -> Any:
    counts = [len(tracks) for _, _, tracks in block]
    rows = sum(counts)
    width = len(schema) - 4
    values = np.empty((rows, width), dtype=np.float32)
    at = 0
    for _, _, tracks in block:
        poses, n = tracks.poses, len(tracks)
        points = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)
        points = np.where(np.isfinite(points).all(-1, keepdims=True), points, np.nan)
        values[at : at + n] = np.concatenate([poses.box_scores[:, None], poses.boxes, points.reshape(n, -1)], axis=1)
        at += n
    lead = [
        pa.array(np.repeat([index for index, _, _ in block], counts).astype(np.int64)),
        pa.array(np.repeat([time for _, time, _ in block], counts).astype(np.float64)),
        pa.array([person for _, _, tracks in block for person in tracks.ids.tolist()], pa.int64()),
        pa.array([str(state) for _, _, tracks in block for state in tracks.states], pa.string()),
    ]
    numbers = [pa.array(column, from_pandas=True) for column in np.ascontiguousarray(values.T)]  # NaN becomes null
    return pa.record_batch(lead + numbers, schema=schema)


def read_parquet(path: Path) -> Recording:
    """Read the table in batches of rows; columns are found by name.

    Raises:
        SourceError: the table is invalid.
    """
    pa, pq = library("pyarrow", "Parquet"), library("pyarrow.parquet", "Parquet")
    try:
        with pq.ParquetFile(path) as file:
            skeleton = skeleton_of_columns(file.schema_arrow.names, path)
            _check_sizes(file.metadata)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"'{path}' is not a Parquet file: {error}. Give one that posetrack wrote.") from error
    except ValueError as error:
        raise SourceError(f"'{path}' is not a table of posetrack: {error}. Give one that posetrack wrote.") from error
    return Recording(skeleton, partial(_frames, path, skeleton), path)


def _check_sizes(metadata: Any) -> None:
    """Check that no column unpacks to far more than a number or a word in each row."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.total_uncompressed_size > _SPARE + _CELL * column.num_values:
                raise ValueError(f"the column {column.path_in_schema} holds more than numbers and words")


def _frames(path: Path, skeleton: Skeleton) -> Iterator[TimedTracks]:
    pa, pq = library("pyarrow", "Parquet"), library("pyarrow.parquet", "Parquet")
    names = list(columns(skeleton))
    with pq.ParquetFile(path) as file:
        rest: Any = None  # rows of a frame that continues in the next batch
        for batch in file.iter_batches(_ROWS, columns=names):
            rows = pa.Table.from_batches([batch]).select(names)
            rows = pa.concat_tables([rest, rows]) if rest is not None else rows
            frames = rows["frame"].to_numpy()
            bounds = [0, *(np.flatnonzero(np.diff(frames)) + 1).tolist()]
            yield from _split(rows.slice(0, bounds[-1]), bounds, skeleton)
            rest = rows.slice(bounds[-1])
            if len(rest) > MAX_ROWS:
                raise ValueError(f"there are more than {MAX_ROWS} rows of frame {frames[-1]}")
        if rest is not None and len(rest):
            yield from _split(rest, [0, len(rest)], skeleton)


def _whole(rows: Any, name: str, least: int) -> NDArray[np.int64]:
    """Return integers, which another program may have stored as floats."""
    values = rows[name].to_numpy()
    if values.dtype.kind not in "iuf" or not ((values >= least) & (values < MAX_INDEX) & (values % 1 == 0)).all():
        raise ValueError(f"the column {name} does not contain whole numbers from {least} on")
    return values.astype(np.int64)


def _split(rows: Any, bounds: list[int], skeleton: Skeleton) -> Iterator[TimedTracks]:
    """Return the frames between consecutive bounds."""
    if not len(rows):
        return
    frames, ids = _whole(rows, "frame", 0), _whole(rows, "track_id", 1)
    times = rows["time_s"].to_numpy().astype(np.float64)
    states = [state_of(str(value)) for value in rows["state"].to_pylist()]
    values = np.stack([rows[name].to_numpy().astype(np.float64) for name in rows.column_names[4:]], axis=1)
    points = values[:, 5:].reshape(len(values), len(skeleton), 3)
    for start, end in pairwise(bounds):
        part = slice(start, end)
        yield (
            int(frames[start]),
            float(times[start]),
            tracks_of(
                ids[part],
                points[part, :, :2],
                points[part, :, 2],
                boxes=values[part, 1:5],
                box_scores=values[part, 0],
                states=states[part],
            ),
        )
