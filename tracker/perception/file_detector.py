"""Read the boxes of people from a file: COCO results or MOT."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...models.cache import sha256
from ...numeric import as_number, as_whole
from ..types import Detections, Frame

log = logging.getLogger("posetrack")

FARTHEST = 1e6  # pixels; a box farther away is an error


class FileDetector:
    """Callable `(frame) -> Detections` that reads the boxes of each frame from a file.

    Two formats are supported. COCO results `.json`: `[{"image_id": 0, "category_id": 1, "bbox": [x, y, w, h],
    "score": 0.9}, ...]`, where `image_id` is the frame's index from 0, as a number or a string of digits; other
    categories are skipped. MOT `.txt`: lines `frame,id,left,top,width,height,score`, where frames count from 1 and a
    score of -1, or none, means 1. Boxes that are not finite or have no area, and scores outside [0, 1], are left out
    with one warning.

    Args:
        path: path of the file.
        conf: minimum score.
        max_people: maximum number of people per frame, the most confident first; None for no limit.

    Raises:
        ModelError: the file is missing or malformed.
    """

    def __init__(self, path: str | Path, *, conf: float = 0.0, max_people: int | None = None) -> None:
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ModelError(f"Cannot read boxes from '{path}': there is no such file. Check the path.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"Cannot read boxes from '{path}': {error}. Give a .json or .txt file.") from error
        read = _coco_rows if path.suffix == ".json" else _mot_rows
        rows: dict[int, list[tuple[float, ...]]] = {}
        total, invalid, first = 0, 0, ""
        for place, index, left, top, width, height, score in read(text, path):
            values = (left, top, left + width, top + height, score)
            total += 1
            valid = all(abs(value) <= FARTHEST for value in values) and width > 0 and height > 0  # NaN is not
            if not valid or not 0 <= score <= 1:
                invalid += 1
                first = first or place
            elif score >= conf:
                rows.setdefault(index, []).append(values)
        if invalid:
            log.warning(
                "'%s': %d of %d boxes are left out, the first in %s: a box needs an area above 0, numbers up to %g and "
                "a score in [0, 1].",
                *(path, invalid, total, first, FARTHEST),
            )
        self._frames = {}
        for index, people in rows.items():
            array = np.array(sorted(people, key=lambda row: -row[4])[:max_people], dtype=np.float32)
            self._frames[index] = Detections(array[:, :4], array[:, 4])
        self.name, self.sha256, self.network = str(path), sha256(path), None

    @property
    def indices(self) -> set[int]:
        """Indices of the frames with boxes."""
        return set(self._frames)

    def __call__(self, frame: Frame) -> Detections:
        """Return the boxes for the frame's index, the most confident first."""
        return self._frames.get(frame.index, Detections.empty())


def _malformed(path: Path, place: str, reason: str) -> ModelError:
    return ModelError(f"Cannot read boxes from '{path}': {place}: {reason}. Correct the file.")


def _coco_rows(text: str, path: Path) -> Iterator[tuple[str, int, float, float, float, float, float]]:
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise _malformed(path, f"line {error.lineno}", f"it is not JSON ({error.msg})") from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number with thousands of digits
        raise _malformed(path, "the file", f"it is not a list of boxes ({error})") from error
    if not isinstance(entries, list):
        raise _malformed(path, "the top", "COCO results are a list of objects")
    for number, entry in enumerate(entries):
        place = f"entry {number} (from 0)"
        try:
            if entry.get("category_id", 1) != 1:
                continue
            left, top, width, height = map(as_number, entry["bbox"])
            yield place, _index(entry["image_id"]), left, top, width, height, as_number(entry.get("score", 1))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            reason = 'give {"image_id": the frame\'s index, "bbox": [x, y, width, height], "score": number}'
            raise _malformed(path, place, reason) from error


def _index(image_id: Any) -> int:
    return int(image_id) if isinstance(image_id, str) else as_whole(image_id)


def _mot_rows(text: str, path: Path) -> Iterator[tuple[str, int, float, float, float, float, float]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip(", \t"):
            continue
        place = f"line {number}"
        try:
            frame, _, left, top, width, height, *more = map(float, line.split(","))
        except ValueError as error:
            raise _malformed(path, place, "give frame,id,left,top,width,height,score") from error
        if frame < 1 or not frame.is_integer():
            raise _malformed(path, place, "frames are whole numbers from 1")
        score = more[0] if more and more[0] != -1 else 1.0
        yield place, int(frame) - 1, left, top, width, height, score
