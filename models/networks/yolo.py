"""The one door to Ultralytics: its detector networks as plain modules, without its habits.

Importing the package would create a settings file in the user's home, look for a network connection, write log lines,
install missing packages at run time, stop OpenCV's threads, change the environment and the way that arrays print, and
replace `torch.save`. All of that is forbidden or undone here; its settings stay in our cache folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import logging
import os
import threading
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ...errors import ModelError, OutputError
from ..weights import layers, torch_file
from ..weights.cache import cache_folder, is_offline
from ..weights.inert import Record, UnsafeError

VARIANTS = {16: "yolov8n", 32: "yolov8s", 48: "yolov8m", 64: "yolov8l", 80: "yolov8x"}  # by the first layer's channels
SIZE = 640  # pixels of the longer side where a file does not say; every published model's
MOST_SIZE, MOST_STRIDE = 8192, 256  # pixels; what a file says beyond them would take all memory
DETECTORS = (  # its networks whose last layer finds boxes
    *("DetectionModel", "PoseModel", "SegmentationModel", "OBBModel"),
    *("WorldModel", "YOLOEModel", "YOLOESegModel"),
)
REACH = 10.0  # seconds that a download may take to begin


@contextlib.contextmanager
def _undone() -> Iterator[None]:
    """Put back, on leaving, what importing Ultralytics changes outside itself."""
    environment, threads, torch_save, image_open = dict(os.environ), cv2.getNumThreads(), torch.save, Image.open
    printing = dataclasses.asdict(torch._tensor_str.PRINT_OPTS)
    try:
        with np.printoptions(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        cv2.setNumThreads(threads)
        torch.save, Image.open = torch_save, image_open
        torch.set_printoptions(**printing)


@functools.cache
def _ultralytics() -> Any:
    """Import `ultralytics.nn.tasks` quietly."""
    logging.getLogger("ultralytics").addFilter(lambda record: False)  # its own set-up resets the level, not filters
    folder = cache_folder() / "ultralytics"
    with _undone():
        os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
        os.environ.setdefault("YOLO_CONFIG_DIR", str(folder))
        with contextlib.suppress(OSError):  # a cache that cannot be written: Ultralytics takes a temporary folder
            folder.mkdir(parents=True, exist_ok=True)
        import ultralytics.nn.tasks as tasks
        from ultralytics.utils import SETTINGS

    dict.update(SETTINGS, sync=False, weights_dir=str(folder))  # past its own update, which would write the file
    return tasks


def build(variant: str = "yolov8n") -> nn.Module:
    """Return a YOLOv8 that detects people alone, with fresh weights and without batch norms.

    It is meant to go on from published weights (`from_published`): their norms are folded into the convolutions, and
    of their classes one is left.

    Args:
        variant: one of `VARIANTS`, which is also the mark of our own files.
    """
    tasks = _ultralytics()
    from ultralytics.cfg import get_cfg

    model = tasks.DetectionModel(f"{variant}.yaml", ch=3, verbose=False).fuse(verbose=False)
    head = model.model[-1]
    for branch in head.cv3:
        prior = branch[-1].bias[:1]
        branch[-1] = nn.Conv2d(branch[-1].in_channels, 1, 1)
        branch[-1].bias = nn.Parameter(prior)
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module is not head.dfl.conv:  # without norms the usual start is too small
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    model.requires_grad_(True)  # folding had it turned off
    head.dfl.requires_grad_(False)
    head.no, head.nc = head.no - head.nc + 1, 1  # outputs and classes of a place
    model.nc, model.names, model.variant, model.args = 1, {0: "person"}, variant, get_cfg()
    return model


def from_published(path: str | Path) -> nn.Module:
    """Read a YOLOv8 that Ultralytics published as a network of `build`, with the row of its class head for people.

    Raises:
        ModelError: the file is missing, broken or unsafe, or holds another network.
    """
    published = _load_checkpoint(Path(path)).float().eval().fuse(verbose=False)
    state = published.state_dict()
    try:
        person = {name: row for row, name in published.names.items()}["person"]
        model = build(VARIANTS[len(next(iter(state.values())))])
        for key, own in model.state_dict().items():
            if key.endswith("dfl.conv.weight"):  # the distances 0, 1, 2, ...; not quite in files that were rounded
                state[key] = own
            elif len(own) < len(state[key]):
                state[key] = state[key][person : person + 1]
        model.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ModelError(
            f"'{path}' is no YOLOv8 that finds people, but a {type(published).__name__} of {len(published.names)} "
            "classes. Give one that Ultralytics publishes, such as yolov8n.pt."
        ) from error
    return model


def calibrate(model: Any, *, slope: float, offset: float) -> None:
    """Turn the scores s of a network of `build` into sigmoid(slope * logit(s) + offset), in place (Platt 1999)."""
    with torch.no_grad():
        for branch in model.model[-1].cv3:
            branch[-1].weight *= slope
            branch[-1].bias *= slope
            branch[-1].bias += offset


def detection_loss(model: Any, predictions: dict[str, Any], targets: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return Ultralytics' detection loss (box, class, distribution), a scalar a picture.

    Args:
        model: the detector; its criterion is kept on it.
        predictions: what the model returns in training mode.
        targets: `batch_idx` (M,), `cls` (M, 1), `bboxes` (M, 4) as centre and size in [0, 1].
    """
    if getattr(model, "criterion", None) is None:
        model.criterion = model.init_criterion()
    loss, _ = model.criterion(predictions, targets)
    return loss.sum() / predictions["feats"][0].shape[0]


def save(model: Any, path: str | Path, *, size: int = SIZE, **notes: str) -> None:
    """Write a network of `build` as safetensors in half precision, with all that `load` needs to build it again.

    Args:
        model: the network.
        path: where to; `.safetensors`.
        size: pixels of the picture's longer side that the network sees by default.
        notes: further metadata, for people.

    Raises:
        OutputError: when the file cannot be written.
    """
    metadata = notes | {"architecture": model.variant, "size": str(size)}
    state = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    try:
        save_file(state, path, metadata=metadata)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"Cannot write '{path}': {error}. Check the folder and its free space.") from error


def load(path: str | Path) -> nn.Module:
    """Read a detector, ready to run: evaluation mode, float32, batch norms folded into convolutions, no gradients.

    A file never runs code: `.safetensors` (ours) holds arrays, and a `.pt` is read as data (`torch_file`), of which
    `layers` builds the network. The module says of itself `names` {class: name}, `size` (pixels of the longer side),
    `stride`, `end2end` (its rows are final, no suppression is due) and `shrinks` (it wants pictures without aliasing).

    Raises:
        ModelError: the file is missing, broken, unsafe, or holds something other than a detector.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"Cannot load the detector '{path}': there is no such file. Check the path.")
    if path.suffix == ".safetensors":
        model = _load_ours(path)
    elif path.suffix == ".pt":
        model = _load_checkpoint(path)
    else:
        raise ModelError(f"Cannot load the detector '{path}': give a .pt or .safetensors file.")
    return model.eval().float().fuse(verbose=False).requires_grad_(False)


def _load_ours(path: Path) -> Any:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dict)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"Cannot load the detector '{path}': it is no complete safetensors file ({error}).") from error
    variant = metadata.get("architecture", "no architecture")
    if variant not in VARIANTS.values():
        known = ", ".join(VARIANTS.values())
        raise ModelError(f"Cannot load the detector '{path}': it names {variant}, not one of {known}. Check the file.")
    model: Any = build(variant)
    try:
        model.load_state_dict(state)
        model.size = int(_within(metadata, "size", MOST_SIZE))
    except (KeyError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"Cannot load the detector '{path}': weights and metadata disagree ({reason}).") from error
    model.shrinks = True
    return model


def _within(metadata: dict[str, str], key: str, most: float) -> float:
    """Return a number of a file's metadata before anything is made of that size."""
    value = float(metadata[key])
    if not 0 < value <= most:
        raise ValueError(f"{key} is {value:g}, beyond {most}")
    return value


def _load_checkpoint(path: Path) -> Any:
    tasks = _ultralytics()
    try:
        checkpoint = torch_file.read(path)
    except UnsafeError as error:
        raise ModelError(
            f"Cannot load the detector '{path}': it asks for {error} to be run, which was refused. "
            "Do not trust it; get the weights from another source."
        ) from error
    except (OSError, ValueError) as error:
        reason = f"it is not an Ultralytics weights file, or it is incomplete ({error})"
        raise ModelError(f"Cannot load the detector '{path}': {reason}. Check it or fetch it again.") from error

    parts = checkpoint if isinstance(checkpoint, dict) else {}
    record = parts.get("ema") or parts.get("model")
    if not isinstance(record, Record) or not record.name.startswith("ultralytics.nn.tasks."):
        raise ModelError(f"Cannot load the detector '{path}': it holds no network of Ultralytics'. Give one that does.")
    networks = {f"{tasks.__name__}.{task}": getattr(tasks, task) for task in DETECTORS}
    try:
        if layers.renamed(record.name) not in networks:
            raise ValueError(f"a {record.name.rpartition('.')[2]} finds no boxes")
        model: Any = layers.build(record, networks)
        if not isinstance(model.model[-1], tasks.Detect):
            raise ValueError("its last layer finds no boxes")
        model.names, model.size = _names(record), _size(parts.get("train_args"))
        if not 1 <= float(model.stride.min()) <= float(model.stride.max()) <= MOST_STRIDE:
            raise ValueError(f"its strides are {model.stride.tolist()}")
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise ModelError(f"Cannot load the detector '{path}': {error}. Give a detection or pose model.") from error
    return model


def _names(record: Record) -> dict[int, str]:
    names = record.state["names"]
    named = dict(enumerate(names)) if isinstance(names, list | tuple) else names
    if not all(isinstance(index, int) and isinstance(name, str) for index, name in named.items()):
        raise ValueError("the names of its classes are no texts")
    return named


def _size(arguments: Any) -> int:
    arguments = arguments.state if isinstance(arguments, Record) else arguments
    size = (arguments or {}).get("imgsz", SIZE)
    size = max(size) if isinstance(size, list | tuple) else size
    if not isinstance(size, int) or not 1 <= size <= MOST_SIZE:
        raise ValueError(f"it says that it learned from pictures of {size} pixels")
    return size


def find(name: str | Path, *, offline: bool = False) -> Path:
    """Return the file of a detector's weights; one that Ultralytics publishes is fetched into the cache if need be.

    Args:
        name: a path, or a bare name such as `yolo11n.pt`, looked for here, then in the cache, then online.
        offline: never look online.

    Raises:
        ModelError: it is not there and cannot be fetched.
    """
    path, folder = Path(name), cache_folder() / "ultralytics"
    for candidate in (path, folder / path):
        if candidate.is_file():
            return candidate
    if path.name != str(name):
        raise ModelError(f"Cannot find the detector '{name}': there is no such file. Check the path.")

    known = _published()
    if path.name not in known:
        near = difflib.get_close_matches(path.name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else "Give a file, or a published name such as yolo11n.pt."
        raise ModelError(f"Cannot find the detector '{name}': there is no such file, nor is it published. {hint}")
    places = f"neither here nor in {folder}"
    if is_offline(offline):
        raise ModelError(
            f"Cannot find the detector '{name}': it is {places}, and downloads are off. Put the file there."
        )
    if not _answered(REACH, _answers):
        raise ModelError(
            f"Cannot fetch the detector '{name}': it is {places}, and github.com does not answer. "
            "Connect, or put the file there."
        )
    return _fetch(path.name, folder)


def _published() -> list[str]:
    _ultralytics()
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

    return sorted(name for name in GITHUB_ASSETS_NAMES if name.startswith("yolo") and name.endswith(".pt"))


def _answers() -> bool:
    try:
        with urllib.request.urlopen("https://github.com/ultralytics/assets", timeout=REACH / 2):
            return True
    except OSError:  # urllib's errors are its children
        return False


def _answered(seconds: float, question: Callable[[], bool]) -> bool:
    """Ask in a thread, because resolving a name has no time limit of its own; no answer in time means no."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(question()), daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers and answers[0])


def _fetch(name: str, folder: Path) -> Path:
    from ultralytics.utils.downloads import attempt_download_asset

    try:
        folder.mkdir(parents=True, exist_ok=True)
        attempt_download_asset(name, dir=folder, progress=False, retry=1, unzip=False)
    except (OSError, MemoryError) as error:  # MemoryError is its word for a full disk
        reason = str(error).splitlines()[0].replace("❌", "").strip()
        raise ModelError(f"Cannot fetch the detector '{name}' into {folder}: {reason}. Try again later.") from error
    if not (folder / name).is_file():
        raise ModelError(f"Cannot fetch the detector '{name}' into {folder}. Try again later.")
    return folder / name
