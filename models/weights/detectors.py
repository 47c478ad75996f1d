"""Read and write the weights of detectors: our own, of Ultralytics (`.pt`) and of RT-DETR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ...errors import ModelError, OutputError
from ..networks.ultralytics_import import load_tasks
from ..networks.yolo import VARIANTS, build
from . import layers, rt_detr, torch_file
from .pickle_interpreter import Record, UnsafeError

SIZE = 640  # longer side of the image in pixels if a file states none; that of every published model
MAX_SIZE, MAX_STRIDE = 8192, 256  # pixels; larger values in a file would exhaust the memory
DETECTORS = (  # Ultralytics' networks whose last layer predicts boxes
    *("DetectionModel", "PoseModel", "SegmentationModel", "OBBModel"),
    *("WorldModel", "YOLOEModel", "YOLOESegModel"),
)


def load(path: str | Path) -> nn.Module:
    """Read a detector for inference: evaluation mode, float32, batch norms folded into convolutions, no gradients.

    No code in a file is run: `.safetensors` (ours) holds only arrays, and a `.pt` is read as data (`torch_file`), from
    which `layers` builds the network. The module has the attributes `names` {class: name}, `size` (pixels of the
    longer side), `stride`, `end2end` (its rows are final and need no suppression), and `processing` if it has
    other conventions than Ultralytics' networks.

    Raises:
        ModelError: the file is missing, broken, unsafe, or contains no detector.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"Cannot load the detector '{path}': there is no such file. Check the path.")
    if rt_detr.is_one(path):
        return rt_detr.load(path)
    if path.suffix == ".safetensors":
        model = _load_ours(path)
    elif path.suffix == ".pt":
        model = _load_ultralytics(path)
    else:
        raise ModelError(f"Cannot load the detector '{path}': give a .pt or .safetensors file.")
    return model.eval().float().fuse(verbose=False).requires_grad_(False)


def load_person_only(path: str | Path) -> nn.Module:
    """Read a published YOLOv8 as a network of `yolo.build`, keeping only the class person.

    Raises:
        ModelError: the file is missing, broken or unsafe, or holds another network.
    """
    published = _load_ultralytics(Path(path)).float().eval().fuse(verbose=False)
    state = published.state_dict()
    try:
        person = {name: row for row, name in published.names.items()}["person"]
        model = build(VARIANTS[len(next(iter(state.values())))])
        for key, value in model.state_dict().items():
            if key.endswith("dfl.conv.weight"):  # the distances 0, 1, 2, ...; inexact in files that were quantised
                state[key] = value
            elif len(value) < len(state[key]):
                state[key] = state[key][person : person + 1]
        model.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"'{path}' is not a YOLOv8 that detects people, but a {type(published).__name__} of "
            f"{len(published.names)} classes. Give one that Ultralytics publishes, such as yolov8n.pt."
        ) from error
    return model


def save(model: Any, path: str | Path, *, size: int = SIZE, **notes: str) -> None:
    """Write a network of `yolo.build` as safetensors in half precision, with the metadata that `load` needs.

    Args:
        model: the network.
        path: target, `.safetensors`.
        size: default input size, pixels of the longer side of the image.
        notes: further metadata, for human readers.

    Raises:
        OutputError: the file cannot be written.
    """
    metadata = notes | {"architecture": model.variant, "size": str(size)}
    state = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    try:
        save_file(state, path, metadata=metadata)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"Cannot write '{path}': {error}. Check the folder and its free space.") from error


def _load_ours(path: Path) -> Any:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"Cannot load the detector '{path}': it is not a complete safetensors file ({error}). Copy it again."
        ) from error
    variant = metadata.get("architecture", "no architecture")
    if variant not in VARIANTS.values():
        known = ", ".join(VARIANTS.values())
        raise ModelError(f"Cannot load the detector '{path}': it names {variant}, not one of {known}. Check the file.")
    model: Any = build(variant)
    try:
        model.load_state_dict(state)
        model.size = int(_bounded(metadata, "size", MAX_SIZE))
    except (KeyError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"Cannot load the detector '{path}': weights and metadata disagree ({reason}). Check the file."
        ) from error
    model.processing = "yolo_shrunk"
    return model


def _bounded(metadata: dict[str, str], key: str, maximum: float) -> float:
    """Return a number of the metadata after checking that it is positive and at most `maximum`."""
    value = float(metadata[key])
    if not 0 < value <= maximum:
        raise ValueError(f"{key} is {value:g}, beyond {maximum}")
    return value


def _load_ultralytics(path: Path) -> Any:
    tasks = load_tasks()
    try:
        checkpoint = torch_file.read(path)
    except UnsafeError as error:
        raise ModelError(
            f"Cannot load the detector '{path}': it calls {error}, which was refused. "
            "Do not trust this file; get the weights from another source."
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(
            f"Cannot load the detector '{path}': it is not an Ultralytics weights file, or it is incomplete ({error}). "
            "Check it or download it again."
        ) from error

    parts = checkpoint if isinstance(checkpoint, dict) else {}
    record = parts.get("ema") or parts.get("model")
    if not isinstance(record, Record) or not record.name.startswith("ultralytics.nn.tasks."):
        raise ModelError(
            f"Cannot load the detector '{path}': it contains no Ultralytics network. Give a file by Ultralytics."
        )
    networks = {f"{tasks.__name__}.{task}": getattr(tasks, task) for task in DETECTORS}
    try:
        if layers.renamed(record.name) not in networks:
            raise ValueError(f"a {record.name.rpartition('.')[2]} predicts no boxes")
        model: Any = layers.build(record, networks)
        if not isinstance(model.model[-1], tasks.Detect):
            raise ValueError("its last layer predicts no boxes")
        model.names, model.size = _names(record), _size(parts.get("train_args"))
        if not 1 <= float(model.stride.min()) <= float(model.stride.max()) <= MAX_STRIDE:
            raise ValueError(f"its strides are {model.stride.tolist()}")
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise ModelError(f"Cannot load the detector '{path}': {error}. Give a detection or pose model.") from error
    return model


def _names(record: Record) -> dict[int, str]:
    names = record.state["names"]
    by_index = dict(enumerate(names)) if isinstance(names, list | tuple) else names
    if not all(isinstance(index, int) and isinstance(name, str) for index, name in by_index.items()):
        raise ValueError("its class names are not strings")
    return by_index


def _size(arguments: Any) -> int:
    arguments = arguments.state if isinstance(arguments, Record) else arguments
    size = (arguments or {}).get("imgsz", SIZE)
    size = max(size) if isinstance(size, list | tuple) else size
    if not isinstance(size, int) or not 1 <= size <= MAX_SIZE:
        raise ValueError(f"it states a training image size of {size} pixels")
    return size
