"""Read a checkpoint in any supported format and load it, strictly, into its network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ...errors import ModelError
from ..geometry.keypoints import COCO
from ..geometry.skeletons import AUTO, DATASETS, fitting, skeleton
from ..networks.potr import ACTIVATIONS, POTR
from ..networks.vitpose_plus import ViTPosePlus
from . import torch_file
from .pickle_interpreter import UnsafeError
from .recognise import State, from_transformers, recognise

MAX_TENSORS = 4096  # of a checkpoint; the largest network has 1,100
MAX_PIXELS = 2048  # of a side of a crop


def load_checkpoint(
    source: str | Path | Mapping[str, Tensor],
    *,
    input_size: tuple[int, int] | None = None,
    dataset: str | None = None,
) -> nn.Module:
    """Build the network of a checkpoint and load it, strictly.

    Args:
        source: a file (safetensors, or a pickle of tensors), or a state dict.
        input_size: (height, width) of the crop, for the one family whose weights do not determine it (POTR with
            XCiT); Lightning files and files of `posetrack models convert` state it.
        dataset: a name of `skeletons.SKELETONS` whose skeleton the network must have, or `auto` for any; of a ViTPose+,
            only the part of this dataset, COCO for `auto`, is returned, as a plain ViTPose.

    Returns:
        The network in eval mode, float32, on the CPU.

    Raises:
        ModelError: the file cannot be read safely, fits no known network, or has another skeleton.
        UsageError: the dataset is unknown.
    """
    label = str(source) if isinstance(source, str | Path) else "The state dict"
    raw, notes = _read(Path(source)) if isinstance(source, str | Path) else (dict(source), {})
    state = {key: value.float() if value.is_floating_point() else value for key, value in _unwrap(raw, label).items()}
    if "backbone.embeddings.patch_embeddings.projection.weight" in state:
        state = from_transformers(state)
    arguments = _settings(raw, notes, label) | ({"input_size": input_size} if input_size else {})
    network: nn.Module
    if notes.get("family") == "TimmPose":
        from ..networks.timm_pose import from_notes

        network = from_notes(notes, arguments.get("input_size", (256, 192)), label)
        _check_fit(network, state, label)
        network.load_state_dict(state, strict=False)
    else:
        network = _build(state, label, **arguments)
    if dataset is not None:
        network = _of_dataset(network, dataset, label)
    return network.eval()


def read_state(path: Path) -> State:
    """Return the tensors of a weights file in float32, without the wrapper of a training framework.

    Raises:
        ModelError: the file cannot be read safely, or contains no tensors.
    """
    state = _unwrap(_read(path)[0], str(path))
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def metadata(network: nn.Module) -> dict[str, str]:
    """Return the metadata of a safetensors file from which `load_checkpoint` rebuilds the network."""
    height, width = network.input_size  # type: ignore[misc]  # every network has this attribute
    notes = {"family": type(network).__name__, "input_size": f"{width}x{height}"}
    notes |= getattr(network, "notes", {})  # name of the timm backbone and its head
    return notes | ({"activation": network.activation} if isinstance(network, POTR) else {})


def _read(path: Path) -> tuple[dict, dict[str, str]]:
    """Return the contents of a file, and the metadata of a safetensors file."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118 (not a dict)
        value = torch_file.read(path)
        return value if isinstance(value, dict) else {}, {}
    except FileNotFoundError as error:
        raise ModelError(f"There is no weights file {path}. Check the path.") from error
    except UnsafeError as error:
        raise ModelError(
            f"{path} is not a plain weights file: it calls {error}, which was refused. "
            "Do not trust this file; get the weights from another source."
        ) from error
    except (SafetensorError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is not a readable weights file ({reason}). Download it again.") from error


def _unwrap(raw: Mapping, label: str) -> State:
    """Return the tensors without a training framework's wrapper and without the key prefix of DataParallel."""
    for key in ("state_dict", "ema", "model"):
        if isinstance(raw.get(key), Mapping):
            raw = raw[key]
            break
    state = {key: value for key, value in raw.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if not state:
        raise ModelError(f"{label} contains no tensors. Give a checkpoint of a pose network.")
    if all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    if any(key.startswith("vitdetr.") for key in state):  # POTR's Lightning module also holds its criterion
        state = {key.removeprefix("vitdetr."): value for key, value in state.items() if key.startswith("vitdetr.")}
        return _unwrap(state, label)  # the wrapped module may be a DataParallel
    if len(state) > MAX_TENSORS:
        raise ModelError(
            f"{label} holds {len(state)} tensors, but no pose network has more than {MAX_TENSORS}. "
            "Give a checkpoint of a pose network."
        )
    try:
        torch_file.check_sharing(state.values())
    except ValueError as error:
        raise ModelError(f"{label} is not trusted: {error}. Get the weights from another source.") from error
    return state


def _settings(raw: Mapping, notes: Mapping[str, str], label: str) -> dict[str, Any]:
    """Return the settings that the weights do not determine, from Lightning's hyper-parameters or `metadata`."""
    stated = raw.get("hyper_parameters")
    stated = stated if isinstance(stated, Mapping) else {}
    size, activation = stated.get("input_size"), stated.get("activation", notes.get("activation"))
    if size is None and re.fullmatch(r"\d{1,9}x\d{1,9}", notes.get("input_size", "")):
        size = [int(pixels) for pixels in notes["input_size"].split("x")]
    settings: dict[str, Any] = {}
    match size:
        case [int(width), int(height)] if 0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS:
            settings["input_size"] = (height, width)
        case [_, _]:
            raise ModelError(f"{label} states crops of {size}, beyond {MAX_PIXELS} pixels. Give an intact checkpoint.")
    if activation in ACTIVATIONS:
        settings["activation"] = activation
    return settings


def _of_dataset(network: nn.Module, dataset: str, label: str) -> nn.Module:
    """Return the part of a ViTPose+ for a dataset; any other network is checked and returned unchanged."""
    if not isinstance(network, ViTPosePlus):
        fitting(network.num_keypoints, dataset, label)  # type: ignore[arg-type]  # every network has this attribute
        return network
    dataset = COCO.name if dataset == AUTO else skeleton(dataset).name
    heads = list(DATASETS)[: len(network.heads)]
    if dataset not in heads:
        raise ModelError(
            f"{label} has a head for {', '.join(heads)} only, none for {dataset}, like all ViTPose+ files on the hub. "
            "Give a checkpoint with all heads, from the page that `posetrack models info vitpose-plus-s` names."
        )
    return network.split(heads.index(dataset))


def _build(state: State, label: str, **arguments: Any) -> nn.Module:
    """Build the network and load it, strictly; shapes are checked before memory is allocated."""
    try:
        with torch.device("meta"):
            network, kept = recognise(state, label, **arguments)
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{label} has the keys of a known network, but impossible shapes ({reason}). Give an intact checkpoint."
        ) from error
    _check_fit(network, kept, label)
    network, kept = recognise(state, label, **arguments)
    network.load_state_dict(kept, strict=False)  # only the counters of batch norms may be missing
    return network


def _check_fit(network: nn.Module, state: State, label: str) -> None:
    if problems := mismatch(network.state_dict(), state):
        raise ModelError(
            f"{label} looks like a {type(network).__name__} but does not fit it ({problems}). "
            "Give a checkpoint of one of the networks that `posetrack models` lists."
        )


def mismatch(wanted: State, state: State) -> str:
    """Describe how a state dict differs in keys and shapes from the wanted one; empty if it fits.

    Counters of batch norms may be missing: old files have none, and nothing depends on them.
    """
    missing = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in wanted]
    misshapen = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}"
        for key, value in wanted.items()
        if key in state and state[key].shape != value.shape
    ]
    return "; ".join(
        f"{len(keys)} {word}: {', '.join(keys[:3])}"
        for word, keys in (("missing", missing), ("unknown", unknown), ("with another shape", misshapen))
        if keys
    )
