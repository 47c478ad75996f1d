"""What formats with one column, layer or file for every person share: names, and blocks of frames as arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .placeholders import measured
from .recording import Recording, TimedTracks, tracks_of

_FRAMES = 256  # of a block
MAX_POINTS = 20_000  # of a frame, as a file may state them: 1,000 people of 20 keypoints
MAX_FRAMES = 50_000_000  # as a file may state them: 19 days at 30 a second


class Block(NamedTuple):
    """F successive frames, those with nobody too, of P people.

    Attributes:
        first: number of the first frame.
        times: (F,) seconds; NaN where nobody is.
        points: (F, P, K, 3), x, y and score in pixels; NaN where missing.
        box_scores: (F, P); NaN where the person is not.
    """

    first: int
    times: NDArray[np.float64]
    points: NDArray[np.floating]
    box_scores: NDArray[np.floating]


def blocks(recording: Recording, ids: Sequence[int], num_frames: int) -> Iterator[Block]:
    """Return the whole video in blocks of a few hundred frames."""
    column = {person: p for p, person in enumerate(ids)}
    frames = iter(recording)
    frame = next(frames, None)
    for first in range(0, num_frames, _FRAMES):
        count = min(_FRAMES, num_frames - first)
        shape = count, len(ids)
        block = Block(
            first,
            np.full(count, np.nan),
            np.full((*shape, len(recording.skeleton), 3), np.nan, dtype=np.float32),
            np.full(shape, np.nan, dtype=np.float32),
        )
        while frame is not None and frame[0] < first + count:
            index, time, tracks = frame
            poses = tracks.poses
            columns = [column[person] for person in tracks.ids.tolist()]
            points = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)
            points = np.where(np.isfinite(points).all(-1, keepdims=True), points, np.nan)
            block.times[index - first] = time
            block.points[index - first, columns] = points
            block.box_scores[index - first, columns] = poses.box_scores
            frame = next(frames, None)
        yield block


def frames_of(
    numbers: Sequence[int], points: NDArray[np.floating], ids: Sequence[int], box_scores: Any = None
) -> Iterator[TimedTracks]:
    """Return the frames in which somebody is, of F frames of another program.

    Args:
        numbers: of the F frames.
        points: (F, P, K, 3), x, y and confidence; NaN or a placeholder where missing.
        ids: of the P people.
        box_scores: (F, P); 1 where unknown.
    """
    points = measured(points)
    there: Any = np.isfinite(points[..., 0]).any(-1)  # (F, P)
    for f in np.flatnonzero(there.any(1)).tolist():
        rows = np.flatnonzero(there[f])
        scores = np.ones(len(rows)) if box_scores is None else box_scores[f, rows]
        tracks = tracks_of(
            [ids[row] for row in rows.tolist()],
            points[f, rows, :, :2],
            points[f, rows, :, 2],
            box_scores=np.where(np.isfinite(scores), scores, 1.0),
        )
        yield numbers[f], np.nan, tracks


def name_of(person: int) -> str:
    """Return what a person is called in other programs."""
    return f"person{person}"


def ids_of(names: Sequence[str]) -> list[int]:
    """Return the ids that names end in; 1, 2, ... where they do not all end in another one."""
    found = [re.search(r"(\d+)$", name) for name in names]
    ids = [int(match[1]) for match in found if match]
    return ids if len(set(ids)) == len(names) else list(range(1, len(names) + 1))
