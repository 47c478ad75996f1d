"""A file with the tracks of a video, read frame by frame."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import PosetrackError, SourceError, UsageError
from ...models.geometry.keypoints import Skeleton
from ...numeric import as_whole, is_number
from ..types import Poses, State, Tracks

log = logging.getLogger("posetrack")

TimedTracks = tuple[int, float, Tracks]  # number of the frame, time in seconds (NaN if unknown), people

MAX_INDEX = 2**53  # of a frame; larger numbers are not exact as floats
MAX_RATE = 1e5  # frames per second
MAX_TIME = 1e10  # seconds, 300 years: more than since 1970, from where some clocks count
MAX_EMPTY = 1_000_000  # number of frames that may always be empty: nine hours at 30 fps
MAX_EMPTY_SHARE = 1000  # largest ratio of empty frames to others, in longer videos
_MAX_PIXELS = 1e7  # largest absolute coordinate; the largest images have about 1e5


@contextmanager
def reading(path: Path, where: str = "") -> Iterator[None]:
    """Convert any exception of a parser into an error with one sentence.

    Args:
        path: of the file.
        where: position in the file, if known.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        with np.errstate(all="ignore"):  # numbers are checked when they become tracks
            yield
    except PosetrackError as error:  # its text may contain a library's lines, or a very long value
        if (text := _sentence(str(error), path)) == str(error):
            raise
        raise type(error)(text) from error
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read '{path}': there is no such file. Check the path.") from error
    except Exception as error:  # libraries and our readers raise various exceptions for invalid files
        why = _sentence(str(error), path) or "no reason given"
        place = f" {where}" if where else ""
        raise SourceError(
            f"Cannot read '{path}'{place} ({type(error).__name__}: {why}). Export it again, or give another file."
        ) from error


def _sentence(text: str, path: Path) -> str:
    """Return a text as one line, shortened in the middle if it is too long."""
    line, most = " ".join(text.split()) if "\n" in text else text, len(str(path)) + 400
    return line if len(line) <= most else f"{line[: most - 150]} ... {line[-145:]}"


@dataclass(frozen=True, slots=True)
class Recording:
    """Tracks of a video in a file; each iteration reopens the file and holds one frame in memory.

    Frames are in ascending order; frames without people may be missing.

    Attributes:
        skeleton: of the keypoints.
        read: opens the file and returns its frames.
        path: of the file.
        size: (width, height) pixels of the video; None if unknown.
        fps: nominal frames per second; None if unknown.
        num_frames: of the video; None if unknown.
        labelled: numbers of the annotated frames; None for all.
    """

    skeleton: Skeleton
    read: Callable[[], Iterable[TimedTracks]]
    path: Path
    size: tuple[int, int] | None = None
    fps: float | None = None
    num_frames: int | None = None
    labelled: Sequence[int] | None = None
    _warned: set[str] = field(default_factory=set, init=False, repr=False, compare=False)  # of what, each once

    def __iter__(self) -> Iterator[TimedTracks]:
        """Read the frames.

        Raises:
            SourceError: the file is damaged, frames or times do not ascend, or an ID occurs twice in a frame.
        """
        last, before = -1, -math.inf
        frames = iter(self.read())
        while True:
            with reading(self.path, f"after frame {last}" if last >= 0 else "in its first frame"):
                frame = next(frames, None)
            if frame is None:
                return
            index, time, tracks = frame
            if not last < index < MAX_INDEX:
                what = f"frame {index} after frame {last}" if index <= last else f"frame {index}"
                raise SourceError(f"'{self.path}' has {what}. Sort it by frame and count from 0.")
            if len(set(ids := tracks.ids.tolist())) < len(ids):
                twice = next(person for person in ids if ids.count(person) > 1)
                raise SourceError(f"'{self.path}' has person {twice} twice in frame {index}. Remove one of them.")
            if self.fps and math.isnan(time):
                time = index / self.fps
            if abs(time) > MAX_TIME:
                raise SourceError(f"'{self.path}' has the time {time:g} s in frame {index}. Correct the times.")
            if time < before:
                raise SourceError(f"'{self.path}' goes back to {time:g} s in frame {index}. Correct the times.")
            last, before = index, before if math.isnan(time) else time
            yield index, time, self._within(tracks, index)

    def _within(self, tracks: Tracks, index: int) -> Tracks:
        """Return tracks with confidences from 0 to 1; other programs have their own scales, and peaks above 1."""
        poses = tracks.poses
        beyond = [values[(values < 0) | (values > 1)] for values in (poses.box_scores, poses.scores)]  # NaN is not
        if not any(map(len, beyond)):
            return tracks
        if "confidence" not in self._warned:  # a file has many such frames, and may be read twice
            self._warned.add("confidence")
            first = float(np.concatenate(beyond)[0])
            log.warning(
                "'%s' has the confidence %g in frame %d: all outside 0 to 1 count as 0 or 1.", self.path, first, index
            )
        bounded = {name: np.clip(getattr(poses, name), 0.0, 1.0) for name in ("box_scores", "scores")}
        return replace(tracks, poses=replace(poses, **bounded))

    def timed(self) -> Iterator[TimedTracks]:
        """Iterate over frames that all have a time.

        Raises:
            UsageError: one has none.
        """
        for index, time, tracks in self:
            if math.isnan(time):
                raise UsageError(f"'{self.path}' has no times of its frames. Add --fps with its rate.")
            yield index, time, tracks

    def extent(self) -> tuple[list[int], int]:
        """Read the file once; return all IDs in order and the number of frames, including empty ones.

        Raises:
            SourceError: nearly all frames would be empty, as after a wrong frame number.
        """
        ids: set[int] = set()
        last, people = -1, 0
        for index, _, tracks in self:
            ids.update(tracks.ids.tolist())
            last, people = index, people + 1
        count = max(self.num_frames or 0, last + 1)
        check_empty(self.path, people=people, frames=count)
        return sorted(ids), count


def check_empty(path: Path, *, people: int, frames: int) -> None:
    """Check that a file has people in enough of its frames to write every frame.

    Args:
        path: of the file.
        people: number of frames with people.
        frames: number of all frames.

    Raises:
        SourceError: nearly all frames are empty, as after a wrong frame number.
    """
    if frames > max(MAX_EMPTY, MAX_EMPTY_SHARE * people):
        raise SourceError(
            f"'{path}' has people in {people} of {frames} frames, but this format writes every frame. Correct the "
            "number of its last frame, or choose a format without empty frames, such as .csv."
        )


def tracks_of(
    ids: ArrayLike,
    keypoints: NDArray[np.floating],
    scores: NDArray[np.floating],
    *,
    boxes: ArrayLike | None = None,
    box_scores: ArrayLike | None = None,
    states: Sequence[State] | None = None,
    keypoint_states: ArrayLike | None = None,
) -> Tracks:
    """Return the tracks of one frame of a file.

    Args:
        ids: (N,).
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K); NaN counts as 0.
        boxes: (N, 4); enclose the keypoints if omitted.
        box_scores: (N,); 1 if omitted.
        states: of N people; all measured if omitted.
        keypoint_states: (N, K), as in `Tracks`; those of the people if omitted.

    Raises:
        ValueError: a coordinate is infinite or too large.
    """
    n = len(keypoints)
    given = boxes_around(keypoints) if boxes is None else np.asarray(boxes, float)
    for values in (keypoints, given):
        if (wrong := np.abs(values) > _MAX_PIXELS).any():
            raise ValueError(f"a coordinate is {float(values[wrong][0]):g} pixels")
    missing = np.isnan(keypoints).any(-1)
    poses = Poses(given, keypoints, np.where(missing, 0.0, np.nan_to_num(scores)), box_scores)  # type: ignore[arg-type]
    of_people = tuple(states or (State.MEASURED,) * n)
    return Tracks(ids, poses, np.zeros((n, 2)), of_people, keypoint_states=keypoint_states)  # type: ignore[arg-type]


def boxes_around(keypoints: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the boxes (N, 4) that enclose poses (N, K, 2); zeros for poses without keypoints."""
    if not keypoints.shape[1]:
        return np.zeros((len(keypoints), 4))
    known = np.isfinite(keypoints)
    low = np.where(known, keypoints, np.inf).min(1)
    high = np.where(known, keypoints, -np.inf).max(1)
    return np.where(np.isfinite(low[:, :1]), np.concatenate([low, high], axis=1), 0.0)


def facts_beside(path: Path) -> dict[str, Any]:
    """Return size, rate and number of frames from the sidecar `FILE.json` of a file; empty without one."""
    sidecar = path.with_name(f"{path.name}.json")
    try:
        facts = json.loads(sidecar.read_bytes())
        size = as_whole(facts["size"]["width"]), as_whole(facts["size"]["height"])
        last = facts["frames"].get("last")
        count = as_whole(facts["frames"]["read"]) if last is None else as_whole(last) + 1
        if not (min(size) > 0 and max(size) <= _MAX_PIXELS and 0 <= count < MAX_INDEX):
            return {}
        return {"size": size, "fps": checked_rate(facts["fps"]), "num_frames": count}
    except (OSError, AttributeError, KeyError, OverflowError, TypeError, ValueError, RecursionError):
        # not posetrack's, or missing
        return {}


def checked_rate(fps: Any) -> float | None:
    """Return a frame rate; None if it is unknown or invalid."""
    return float(fps) if is_number(fps) and 0 < fps <= MAX_RATE else None
