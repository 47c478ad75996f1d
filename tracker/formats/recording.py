"""The people of a whole video as a file has them: read frame by frame, as often as needed, never held all at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import SourceError, UsageError
from ...models.keypoints import Skeleton
from ..types import Poses, State, Tracks

TimedTracks = tuple[int, float, Tracks]  # number of the frame, its time in seconds, NaN where unknown, and its people


@dataclass(frozen=True, slots=True)
class Recording:
    """A video's people; iterating opens the file anew each time and holds one frame.

    Frames come in ascending order; those with nobody may be left out.

    Attributes:
        skeleton: of the keypoints.
        read: opens the file and returns its frames.
        path: of the file.
        size: (width, height) pixels of the video; None where unknown.
        fps: nominal frames a second; None where unknown.
        num_frames: of the video; None where unknown.
        labelled: frames that an annotator looked at; None for all.
    """

    skeleton: Skeleton
    read: Callable[[], Iterable[TimedTracks]]
    path: Path
    size: tuple[int, int] | None = None
    fps: float | None = None
    num_frames: int | None = None
    labelled: Sequence[int] | None = None

    def __iter__(self) -> Iterator[TimedTracks]:
        last = -1
        for index, time, tracks in self.read():
            if index <= last:
                raise SourceError(f"'{self.path}' has frame {index} after frame {last}. Sort it by frame.")
            last = index
            if self.fps and math.isnan(time):
                time = index / self.fps
            yield index, time, tracks

    def timed(self) -> Iterator[TimedTracks]:
        """Iterate over frames that all have a time.

        Raises:
            UsageError: one has none.
        """
        for index, time, tracks in self:
            if math.isnan(time):
                raise UsageError(f"'{self.path}' does not tell the times of its frames. Add --fps with its rate.")
            yield index, time, tracks

    def extent(self) -> tuple[list[int], int]:
        """Read the file once; return everybody's ids in order, and the number of frames."""
        ids: set[int] = set()
        last = -1
        for index, _, tracks in self:
            ids.update(tracks.ids.tolist())
            last = index
        return sorted(ids), max(self.num_frames or 0, last + 1)


def tracks_of(
    ids: ArrayLike,
    keypoints: NDArray[np.floating],
    scores: NDArray[np.floating],
    *,
    boxes: ArrayLike | None = None,
    box_scores: ArrayLike | None = None,
    states: Sequence[State] | None = None,
) -> Tracks:
    """Return the people of one frame of a file.

    Args:
        ids: (N,).
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K); NaN counts as 0.
        boxes: (N, 4); around the keypoints when left out.
        box_scores: (N,); 1 when left out.
        states: N; all measured when left out.
    """
    n = len(keypoints)
    given = boxes_around(keypoints) if boxes is None else boxes
    missing = np.isnan(keypoints).any(-1)
    poses = Poses(given, keypoints, np.where(missing, 0.0, np.nan_to_num(scores)), box_scores)  # type: ignore[arg-type]
    return Tracks(ids, poses, np.zeros((n, 2)), tuple(states or (State.MEASURED,) * n))  # type: ignore[arg-type]


def boxes_around(keypoints: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the boxes (N, 4) of poses (N, K, 2) that have none of their own; zeros where nothing is known."""
    if not keypoints.shape[1]:
        return np.zeros((len(keypoints), 4))
    known = np.isfinite(keypoints)
    low = np.where(known, keypoints, np.inf).min(1)
    high = np.where(known, keypoints, -np.inf).max(1)
    return np.where(np.isfinite(low[:, :1]), np.concatenate([low, high], axis=1), 0.0)


def facts_beside(path: Path) -> dict[str, Any]:
    """Return the size, rate and number of frames that the sidecar `FILE.json` tells of a file; nothing without one."""
    sidecar = path.with_name(f"{path.name}.json")
    try:
        facts = json.loads(sidecar.read_text(encoding="utf-8"))
        size = facts["size"]["width"], facts["size"]["height"]
        return {"size": size, "fps": facts["fps"], "num_frames": facts["frames"]["read"]}
    except (OSError, KeyError, TypeError, ValueError):  # another program's, or none
        return {}
