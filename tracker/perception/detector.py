"""Load a detector by its name: a network, a file of boxes, or a function."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import ModelError
from ...installation import library
from ...models.cache import cache_folder, sha256
from ...models.weights.card import DetectorCard
from ...models.weights.published_detectors import DETECTORS
from ..types import Frame
from .custom import CustomDetector
from .file_detector import FileDetector
from .network_detector import NetworkDetector
from .protocols import Detector
from .runtimes.load import EXPORTED, load_runtime
from .runtimes.store import Loaded

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
    network, card = load_runtime(
        "detector",
        path,
        lambda: read_detector_weights(path),
        shipped=path if name == "bundled" else None,
        runtime=runtime,
        device=device,
        precision=precision,
        streams=streams,
    )
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
