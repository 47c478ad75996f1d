"""Detect the people in a frame, with a YOLO network, or read their boxes from a file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ...models.cache import cache_folder, sha256
from ...models.geometry import crop
from ...models.weights.card import DetectorCard
from ..types import Detections, Frame
from .custom import CustomDetector
from .letterbox import letterbox
from .protocols import Detector
from .runtimes import Runtime
from .runtimes.load import EXPORTED, load_runtime
from .runtimes.store import Loaded

_FACTORS, _SHIFTS = (1 / 255,) * 3, (0.0,) * 3  # scales pixel values to [0, 1]
BUNDLED = "detector.safetensors"  # in posetrack.models.weights.bundled


def load_detector(
    name: str | Path | Callable[[Frame], Any] = "bundled",
    *,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    conf: float | None = None,
    iou: float = 0.6,
    size: int | None = None,
    max_people: int | None = None,
    streams: int = 1,
    offline: bool = False,
) -> Detector:
    """Load a detector by name.

    Args:
        name: `bundled`; a `.pt` or `.safetensors` file; a published name such as `yolo11n.pt`; an exported network,
            `.xml` or `.onnx`; a file of boxes, COCO results `.json` or MOT `.txt`; or a function, see `CustomDetector`.
        device: device of the network: `auto`, `cpu`, `cuda`, `cuda:N`, `mps`.
        runtime: inference backend: `auto`, `torch`, `openvino` or `onnxruntime`.
        precision: numeric precision: `auto`, `fp32`, `bf16` or `fp16`.
        conf: minimum score; None for 0.25 with a network and 0 with a file or function.
        iou: IoU threshold of the network's non-maximum suppression.
        size: longer side of the network's input, pixels; None for the size used in training.
        max_people: maximum number of people per frame, the most confident first; None for no limit.
        streams: number of frames processed concurrently, which share the threads.
        offline: never download weights.

    Raises:
        ModelError: the file is missing, broken or of another type.
    """
    if callable(name):
        return CustomDetector(name, conf=conf or 0.0, max_people=max_people)
    if Path(name).suffix in {".json", ".txt"}:
        return FileDetector(name, conf=conf or 0.0, max_people=max_people)
    path = Path(name) if Path(name).suffix in EXPORTED else find(name, offline=offline)
    where: dict[str, Any] = {"runtime": runtime, "device": device, "precision": precision, "streams": streams}
    network, card = load_runtime("detector", path, lambda: read_detector_weights(path), **where)
    assert isinstance(card, DetectorCard)
    return YoloDetector(
        network, card, name=str(name), conf=0.25 if conf is None else conf, iou=iou, size=size, max_people=max_people
    )


def find(name: str | Path, *, offline: bool = False) -> Path:
    """Return the file of a detector's weights; imports torch only if a download is needed."""
    if str(name) == "bundled":
        return Path(str(files("posetrack.models.weights.bundled") / BUNDLED))
    for candidate in (Path(name), cache_folder() / "ultralytics" / name):
        if candidate.is_file():
            return candidate
    from ...models.weights.detector_files import locate_detector

    return locate_detector(name, offline=offline)


def read_detector_weights(path: Path) -> Loaded:
    """Read a detector's weights with torch and Ultralytics.

    Raises:
        ModelError: the file is broken or of another type.
    """
    from ...models.weights import detectors

    model: Any = detectors.load(path)
    card = DetectorCard(
        size=model.size,
        stride=int(max(model.stride)),
        person_class=_person_class(model.names, path),
        end2end=bool(getattr(model, "end2end", False)),
        shrinks=bool(getattr(model, "shrinks", False)),
        sha256=sha256(path),
    )
    return Loaded(path, model, card)


def _person_class(names: dict[int, str], origin: str | Path) -> int:
    people = [index for index, name in names.items() if name.lower() == "person"]
    if people or len(names) == 1:
        return (people or list(names))[0]
    raise ModelError(f"The detector '{origin}' has no class 'person' among its {len(names)}. Give another one.")


class YoloDetector:
    """Callable `(frame) -> Detections` around an Ultralytics YOLO network.

    Args:
        network: maps (1, 3, h, w) RGB in [0, 1] to (1, 4 + classes + more, A): centers, sizes in input pixels and
            class scores; or, if the card says `end2end`, to (1, R, 6 + more): final xyxy boxes, score and class.
        card: input and output conventions of the network.
        name: name of the detector in messages and output files.
        conf: minimum score.
        iou: IoU threshold of the non-maximum suppression.
        size: longer side of the input, pixels; None for the card's size.
        max_people: maximum number of people per frame, the most confident first; None for no limit.
    """

    def __init__(
        self,
        network: Runtime,
        card: DetectorCard,
        *,
        name: str = "",
        conf: float = 0.25,
        iou: float = 0.6,
        size: int | None = None,
        max_people: int | None = None,
    ) -> None:
        self.network, self.card, self.name, self.sha256 = network, card, name, card.sha256
        self.conf, self.iou, self.size, self.max_people = conf, iou, size or card.size, max_people

    def __call__(self, frame: Frame) -> Detections:
        """Detect the people, the most confident first."""
        height, width = frame.image.shape[:2]
        card = self.card
        canvas, scale, offset = letterbox(frame.image, size=self.size, stride=card.stride, shrinks=card.shrinks)
        images = np.empty((1, 3, *canvas.shape[:2]), np.float32)
        crop.planes(canvas, images[0], factors=_FACTORS, shifts=_SHIFTS)
        boxes, scores = self._people(self.network(images)[0])
        inside = (boxes.reshape(-1, 2, 2) - offset) / scale
        clipped = np.minimum(np.maximum(inside, 0), (width, height)).reshape(-1, 4).astype(np.float32)
        return Detections(clipped[: self.max_people], scores[: self.max_people])

    def _people(self, output: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the boxes (N, 4) xyxy and scores (N,) of people in a network's output, the most confident first."""
        person = self.card.person_class
        if self.card.end2end:
            rows = output[(output[:, 5] == person) & (output[:, 4] > self.conf)]
            rows = rows[np.argsort(-rows[:, 4], kind="stable")]
            return rows[:, :4], rows[:, 4]
        scores = output[4 + person]  # (A,)
        found = np.flatnonzero(scores > self.conf)
        centers, sizes, scores = output[:2, found].T, output[2:4, found].T, scores[found]
        boxes = np.concatenate([centers - sizes / 2, centers + sizes / 2], axis=1)
        kept = nms(boxes, scores, iou=self.iou)
        return boxes[kept], scores[kept]


def nms(boxes: NDArray[np.floating], scores: NDArray[np.floating], *, iou: float) -> NDArray[np.intp]:
    """Apply greedy non-maximum suppression.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
        iou: maximum IoU of two kept boxes.

    Returns:
        The kept rows, the most confident first.
    """
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    suppress: Any = cv2.dnn.NMSBoxes  # accepts arrays, unlike its type stubs
    return np.array(suppress(sides, scores, 0.0, iou), dtype=np.intp)


class FileDetector:
    """Callable `(frame) -> Detections` that reads the boxes of each frame from a file.

    Two formats are supported. COCO results `.json`: `[{"image_id": 0, "category_id": 1, "bbox": [x, y, w, h],
    "score": 0.9}, ...]`, where `image_id` is the frame's index from 0, as a number or a string of digits; other
    categories are skipped. MOT `.txt`: lines `frame,id,left,top,width,height,score`, where frames count from 1 and a
    score of -1, or none, means 1.

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
        for place, index, left, top, width, height, score in read(text, path):
            values = (left, top, left + width, top + height, score)
            if not all(map(math.isfinite, values)) or width < 0 or height < 0 or not 0 <= score <= 1:
                raise _malformed(path, place, "a box needs finite numbers, a size of 0 or more and a score in [0, 1]")
            if score >= conf:
                rows.setdefault(index, []).append(values)
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
        raise _malformed(path, "the file", f"it is no list of boxes ({error})") from error
    if not isinstance(entries, list):
        raise _malformed(path, "the top", "COCO results are a list of objects")
    for number, entry in enumerate(entries):
        place = f"entry {number} (from 0)"
        try:
            if entry.get("category_id", 1) != 1:
                continue
            left, top, width, height = map(float, entry["bbox"])
            yield place, _index(entry["image_id"]), left, top, width, height, float(entry.get("score", 1))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            reason = 'give {"image_id": the frame\'s index, "bbox": [x, y, width, height], "score": number}'
            raise _malformed(path, place, reason) from error


def _index(image_id: Any) -> int:
    if isinstance(image_id, float) and not image_id.is_integer():
        raise ValueError(image_id)
    return int(image_id)


def _mot_rows(text: str, path: Path) -> Iterator[tuple[str, int, float, float, float, float, float]]:
    for number, cells in enumerate(csv.reader(text.splitlines()), start=1):
        if not any(cell.strip() for cell in cells):
            continue
        place = f"line {number}"
        try:
            frame, _, left, top, width, height, *more = map(float, cells)
        except (csv.Error, ValueError) as error:
            raise _malformed(path, place, "give frame,id,left,top,width,height,score") from error
        if frame < 1 or not frame.is_integer():
            raise _malformed(path, place, "frames are whole numbers from 1")
        score = more[0] if more and more[0] != -1 else 1.0
        yield place, int(frame) - 1, left, top, width, height, score
