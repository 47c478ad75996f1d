"""Shared by formats with one column, layer or file per person: names, and blocks of frames as arrays."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .placeholders import placeholders_to_nan
from .recording import Recording, TimedTracks, tracks_of

_FRAMES = 256  # per block
MAX_POINTS = 20_000  # largest number per frame that a file may state: 1,000 people of 20 keypoints
MAX_FRAMES = 50_000_000  # largest number that a file may state: 19 days at 30 fps


class Block(NamedTuple):
    """F consecutive frames of P people, including frames without people.

    Attributes:
        first: number of the first frame.
        times: (F,) seconds; NaN in frames without people.
        points: (F, P, K, 3), x, y and score in pixels; NaN where missing.
        box_scores: (F, P); NaN in frames without the person.
    """

    first: int
    times: NDArray[np.float64]
    points: NDArray[np.floating]
    box_scores: NDArray[np.floating]


def blocks(recording: Recording, ids: Sequence[int], num_frames: int) -> Iterator[Block]:
    """Return the whole video in blocks of `_FRAMES` frames."""
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


class Span(NamedTuple):
    """First and last frame of a person, inclusive, and their times in seconds."""

    first: int
    last: int
    begin: float
    end: float

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1


def spans_of(recording: Recording) -> tuple[dict[int, Span], tuple[array[int], array[float]], float]:
    """Read the file once; return each person's span, number and time of the frames with people, and the frame rate.

    Without a stated rate, it is that of the longest track.
    """
    spans: dict[int, Span] = {}
    known, moments = array("q"), array("d")
    for index, time, tracks in recording.timed():
        known.append(index)
        moments.append(time)
        for person in tracks.ids.tolist():
            first, _, begin, _ = spans.get(person, (index, index, time, time))
            spans[person] = Span(first, index, begin, time)
    longest = max(spans.values(), key=lambda span: span.end - span.begin, default=Span(0, 0, 0.0, 0.0))
    seconds = longest.end - longest.begin
    rate = (longest.last - longest.first) / seconds if seconds > 0 else 30.0
    return spans, (known, moments), recording.fps or rate


def person_in(path: Path) -> int:
    """Return the ID in the name of a file with one person, `NAME_person3`; 1 without one."""
    found = re.search(r"_person(\d+)$", path.stem)
    return int(found[1]) if found else 1


def frames_of(
    numbers: Sequence[int], points: NDArray[np.floating], ids: Sequence[int], box_scores: Any = None
) -> Iterator[TimedTracks]:
    """Return the frames with people, of F frames of another program's file.

    Args:
        numbers: of the F frames.
        points: (F, P, K, 3), x, y and confidence; NaN or a placeholder where missing.
        ids: of the P people.
        box_scores: (F, P); 1 where unknown.
    """
    points = placeholders_to_nan(points)
    present: Any = np.isfinite(points[..., 0]).any(-1)  # (F, P)
    for f in np.flatnonzero(present.any(1)).tolist():
        rows = np.flatnonzero(present[f])
        scores = np.ones(len(rows)) if box_scores is None else box_scores[f, rows]
        tracks = tracks_of(
            [ids[row] for row in rows.tolist()],
            points[f, rows, :, :2],
            points[f, rows, :, 2],
            box_scores=np.where(np.isfinite(scores), scores, 1.0),
        )
        yield numbers[f], np.nan, tracks


def name_of(person: int) -> str:
    """Return the name of a person for other programs."""
    return f"person{person}"


def ids_of(names: Sequence[str]) -> list[int]:
    """Return the numbers at the end of names, one higher if they count from 0; 1, 2, ... if they do not all differ."""
    found = [re.search(r"(\d+)$", name) for name in names]
    ids = [int(match[1]) for match in found if match]
    if len(set(ids)) < len(names):
        return list(range(1, len(names) + 1))
    return [identity + (0 in ids) for identity in ids]
