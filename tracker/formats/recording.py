"""The people of a whole video as a file has them: read frame by frame, as often as needed, never held all at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import PosetrackError, SourceError, UsageError
from ...models.geometry.keypoints import Skeleton
from ..types import Poses, State, Tracks

TimedTracks = tuple[int, float, Tracks]  # number of the frame, its time in seconds, NaN where unknown, and its people

MAX_INDEX = 2**53  # of a frame: beyond it numbers of tables are not exact
MAX_RATE = 1e5  # frames a second
MAX_EMPTY = 1_000_000  # frames that may be empty, whatever is in the others: nine hours at 30 a second
MAX_EMPTY_SHARE = 1000  # empty frames for each that is not, in longer videos
_MAX_PIXELS = 1e7  # of a coordinate, either way; the largest pictures have some 1e5


@contextmanager
def reading(path: Path, where: str = "") -> Iterator[None]:
    """Turn whatever a parser raises over a foreign file into one sentence.

    Args:
        path: of the file.
        where: the place in it, as far as it is known.

    Raises:
        SourceError: with the file, the place and the remedy.
    """
    try:
        with np.errstate(all="ignore"):  # its numbers are checked where they become people
            yield
    except PosetrackError as error:  # whose text may hold a library's lines, or a value without an end
        if (text := _sentence(str(error), path)) == str(error):
            raise
        raise type(error)(text) from error
    except FileNotFoundError as error:
        raise SourceError(f"Cannot read '{path}': there is no such file. Check the path.") from error
    except Exception as error:  # libraries and our own readers raise of all kinds over what they do not expect
        why = _sentence(str(error), path) or "no reason given"
        place = f" {where}" if where else ""
        raise SourceError(
            f"Cannot read '{path}'{place} ({type(error).__name__}: {why}). Export it again, or give another file."
        ) from error


def _sentence(text: str, path: Path) -> str:
    """Return a text in one line, its middle left out where it is too long to be read."""
    line, most = " ".join(text.split()) if "\n" in text else text, len(str(path)) + 400
    return line if len(line) <= most else f"{line[: most - 150]} ... {line[-145:]}"


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
        """Read the frames.

        Raises:
            SourceError: the file is broken, its frames or times do not ascend, or a frame has one person twice.
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
            if time < before:
                raise SourceError(f"'{self.path}' goes back to {time:g} s in frame {index}. Correct the times.")
            last, before = index, before if math.isnan(time) else time
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
        """Read the file once; return everybody's ids in order, and the number of frames, empty ones too.

        Raises:
            SourceError: nearly all frames would be empty, as where a frame has a wrong number.
        """
        ids: set[int] = set()
        last, seen = -1, 0
        for index, _, tracks in self:
            ids.update(tracks.ids.tolist())
            last, seen = index, seen + 1
        count = max(self.num_frames or 0, last + 1)
        check_empty(self.path, people=seen, frames=count)
        return sorted(ids), count


def check_empty(path: Path, *, people: int, frames: int) -> None:
    """Refuse to write every frame of a file where nearly all are empty, as with a wrong number of a frame.

    Args:
        path: of the file.
        people: frames in which somebody is.
        frames: all of them.

    Raises:
        SourceError: it is so.
    """
    if frames > max(MAX_EMPTY, MAX_EMPTY_SHARE * people):
        raise SourceError(
            f"'{path}' has people in {people} of {frames} frames, and this format writes every frame. Correct the "
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
    """Return the people of one frame of a file.

    Args:
        ids: (N,).
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K); NaN counts as 0.
        boxes: (N, 4); around the keypoints when left out.
        box_scores: (N,); 1 when left out.
        states: N; all measured when left out.
        keypoint_states: (N, K), as in `Tracks`; those of the people when left out.

    Raises:
        ValueError: a coordinate is infinite or absurdly large.
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
        facts = json.loads(sidecar.read_bytes())
        size = int(facts["size"]["width"]), int(facts["size"]["height"])
        last = facts["frames"].get("last")
        count = int(facts["frames"]["read"] if last is None else last + 1)
        if not (min(size) > 0 and max(size) <= _MAX_PIXELS and 0 <= count < MAX_INDEX):
            return {}
        return {"size": size, "fps": checked_rate(facts["fps"]), "num_frames": count}
    except (OSError, AttributeError, KeyError, OverflowError, TypeError, ValueError, RecursionError):
        # another program's, or none
        return {}


def checked_rate(fps: Any) -> float | None:
    """Return frames a second; None where it is not known, or no rate."""
    return float(fps) if isinstance(fps, int | float) and 0 < fps <= MAX_RATE else None
