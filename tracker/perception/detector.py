"""Detect the people in a frame with a network, or read their boxes from a file."""

from __future__ import annotations

import csv
import difflib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError, UsageError
from ...installation import library
from ...models.cache import cache_folder, sha256
from ...models.geometry.detection import DETECTOR_PROCESSINGS
from ...models.weights.card import DetectorCard
from ...models.weights.published_detectors import DETECTORS
from ...numbers import as_number, as_whole
from ..types import Detections, Frame
from .custom import CustomDetector
from .outputs import reading_outputs
from .protocols import Detector
from .runtimes import Runtime
from .runtimes.load import EXPORTED, load_runtime
from .runtimes.store import Loaded

log = logging.getLogger("posetrack")

FARTHEST = 1e6  # pixels; a box farther away is an error
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
        name: `bundled`; a `.pt` or `.safetensors` file; a published name such as `yolo11n.pt`; an RT-DETR of
            transformers, a folder or a repository of the hub such as `PekingU/rtdetr_r50vd_coco_o365`; an exported
            network, `.xml` or `.onnx`; a file of boxes, COCO results `.json` or MOT `.txt`; or a function, see
            `CustomDetector`.
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
        UsageError: the network does not take this size.
    """
    if callable(name):
        return CustomDetector(name, conf=conf or 0.0, max_people=max_people)
    if Path(name).suffix in {".json", ".txt"}:
        return FileDetector(name, conf=conf or 0.0, max_people=max_people)
    path = Path(name) if Path(name).suffix in EXPORTED else find(name, offline=offline)
    where: dict[str, Any] = {"runtime": runtime, "device": device, "precision": precision, "streams": streams}
    where["shipped"] = path if name == "bundled" else None
    network, card = load_runtime("detector", path, lambda: read_detector_weights(path), **where)
    assert isinstance(card, DetectorCard)
    return NetworkDetector(
        network, card, name=str(name), conf=0.25 if conf is None else conf, iou=iou, size=size, max_people=max_people
    )


def find(name: str | Path, *, offline: bool = False) -> Path:
    """Return the file of a detector's weights; imports torch only if a download is needed."""
    if str(name) == "bundled":
        return Path(str(files("posetrack.models.weights.bundled") / BUNDLED))
    for candidate in (Path(name), Path(name) / "model.safetensors", cache_folder() / "ultralytics" / name):
        if candidate.is_file():
            return candidate
    near = [] if name in DETECTORS else difflib.get_close_matches(str(name), DETECTORS, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""  # without Ultralytics, not all published names are known
    library("torch", f"The detector '{name}'{hint}", extra="full")
    from ...models.weights import hub
    from ...models.weights.detector_files import locate_detector
    from ...models.weights.rt_detr import KINDS

    return hub.find(str(name), option="--detector", types=KINDS, offline=offline) or locate_detector(
        name, offline=offline
    )


def read_detector_weights(path: Path) -> Loaded:
    """Read a detector's weights with torch, and Ultralytics or transformers.

    Raises:
        ModelError: the file is broken or of another type.
        PosetrackError: torch is not installed.
    """
    library("torch", f"The detector '{path.name}'", extra="full")
    from ...models.weights import detectors

    model: Any = detectors.load(path)
    return Loaded(path, model, DetectorCard(**conventions(model, path)))


def conventions(model: Any, path: Path) -> dict[str, Any]:
    """Return what a network of `detectors.load` says of itself, as the fields of a `DetectorCard`."""
    final = "yolo_final" if getattr(model, "end2end", False) else "yolo"
    return {
        "size": model.size,
        "stride": int(max(model.stride)),
        "person_class": _person_class(model.names, path),
        "processing": getattr(model, "processing", final),
        "input_size": getattr(model, "input_size", None),
        "sha256": sha256(path),
        "family": getattr(model, "family", "YOLO"),
    }


def _person_class(names: dict[int, str], origin: str | Path) -> int:
    people = [index for index, name in names.items() if name.lower() == "person"]
    if people or len(names) == 1:
        return (people or list(names))[0]
    raise ModelError(f"The network '{origin}' has no class 'person' among its {len(names)}. Give another one.")


class NetworkDetector:
    """Callable `(frame) -> Detections` around a network.

    Args:
        network: maps images (1, 3, h, w) to what the card's `processing` reads.
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
        if card.input_size and self.size != card.size:
            raise UsageError(f"--detect-size is {size}, but {name} takes {card.size} pixels only. Leave it out.")

    def __call__(self, frame: Frame) -> Detections:
        """Detect the people, the most confident first."""
        found = find_people(
            self.network, self.card, [frame.image], size=self.size, conf=self.conf, iou=self.iou, most=self.max_people
        )
        ((people, _),) = found
        return people


def find_people(
    network: Runtime,
    card: DetectorCard,
    images: Sequence[NDArray[np.uint8]],
    *,
    size: int,
    conf: float,
    iou: float,
    most: int | None = None,
    points: int = 0,
) -> list[tuple[Detections, NDArray[np.float32]]]:
    """Run a detector or a single-stage pose network on images of one size, in one batch.

    Args:
        network: see `NetworkDetector`.
        card: input and output conventions of the network.
        images: each (H, W, 3) BGR.
        size: longer side of the input, pixels.
        conf: minimum score.
        iou: IoU threshold of the non-maximum suppression.
        most: maximum number of people of an image; None for no limit.
        points: number K of keypoints at the end of each row of the output: x, y in input pixels, score.

    Returns:
        Of each image, N people, the most confident first, in boxes that end at the border of the image, and their
        keypoints (N, K, 3): x, y in pixels of the image, score.
    """
    processing = DETECTOR_PROCESSINGS[card.processing]
    fits = [
        processing.prepare(image, size=size, stride=card.stride, shape=card.input_size) for image in images
    ]  # each image (1, 3, h, w), its scale and offset
    batch = fits[0][0] if len(fits) == 1 else np.concatenate([prepared for prepared, _, _ in fits])
    outputs = network(batch)
    found = []
    for row, (image, (_, scale, offset)) in enumerate(zip(images, fits, strict=True)):
        with reading_outputs():
            boxes, scores, rows = processing.read(
                _of_image(outputs, row), person_class=card.person_class, conf=conf, iou=iou, shape=batch.shape[2:]
            )
            border = image.shape[1::-1]
            corners = _in_image(boxes.reshape(-1, 2, 2), scale, offset, border=border).reshape(-1, 4)
            keypoints = rows[:, rows.shape[1] - 3 * points :].reshape(len(rows), points, 3)
            places = _in_image(keypoints[..., :2], scale, offset, border=border if processing.clips else None)
            keypoints = np.concatenate([places, keypoints[..., 2:]], axis=2)
        known = np.isfinite(corners).all(1) & np.isfinite(scores)  # not so from damaged weights
        corners, scores, keypoints = corners[known], scores[known], keypoints[known]
        found.append((Detections(corners, scores)[:most], keypoints[:most]))
    return found


def _of_image(outputs: Any, row: int) -> Any:
    """Return the outputs of one image of a batch, as a batch of one."""
    if isinstance(outputs, dict):
        return {name: output[row : row + 1] for name, output in outputs.items()}
    return outputs[row : row + 1]


def _in_image(
    places: NDArray[np.float32],
    scale: NDArray[np.floating],
    offset: NDArray[np.integer],
    *,
    border: tuple[int, ...] | None,
) -> NDArray[np.float32]:
    """Map places (..., 2) of the input to the image; with its `border` (width, height), they end there."""
    there = (places - offset) / scale
    return (there if border is None else np.minimum(np.maximum(there, 0), border)).astype(np.float32)


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
