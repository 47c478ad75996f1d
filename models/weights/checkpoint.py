"""Read a checkpoint in any of its wrappers and load it, strictly, into the network that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ...errors import ModelError
from ..geometry.skeletons import DATASETS, skeleton
from ..networks.potr import ACTIVATIONS, POTR
from ..networks.vitpose_plus import ViTPosePlus
from . import torch_file
from .inert import UnsafeError
from .recognise import State, from_transformers, recognise

MOST_TENSORS = 4096  # of a checkpoint; the largest network has 1,100
MOST_PIXELS = 2048  # of a side of a crop


def load_checkpoint(
    source: str | Path | Mapping[str, Tensor],
    device: str | torch.device = "cpu",
    *,
    input_size: tuple[int, int] | None = None,
    dataset: str | None = None,
) -> nn.Module:
    """Build the network that a checkpoint belongs to and load it, strictly.

    Args:
        source: a file (safetensors, or a pickle of tensors), or a state dict.
        device: where the network goes.
        input_size: (height, width) of the crop, for the one family whose weights cannot tell (POTR with XCiT); a
            Lightning file and one that `posetrack models convert` wrote know it by themselves.
        dataset: a name of `skeletons.DATASETS` whose skeleton the network has to answer with: of a ViTPose+ only this
            dataset's part, as a plain ViTPose.

    Returns:
        The network in eval mode, float32.

    Raises:
        ModelError: the file cannot be read safely, fits no known network, or is not of the dataset.
        UsageError: there is no such dataset.
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
    return network.to(device).eval()


def read_state(path: Path) -> State:
    """Return the tensors of a file of weights, in float32 and without a training framework's wrapper.

    Raises:
        ModelError: the file cannot be read safely, or holds no tensors.
    """
    state = _unwrap(_read(path)[0], str(path))
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def metadata(network: nn.Module) -> dict[str, str]:
    """Return what a safetensors file has to say beside the weights so that `load_checkpoint` builds the same again."""
    height, width = network.input_size  # type: ignore[misc]  # every network declares it
    notes = {"family": type(network).__name__, "input_size": f"{width}x{height}"}
    notes |= getattr(network, "notes", {})  # what a backbone of timm is
    return notes | ({"activation": network.activation} if isinstance(network, POTR) else {})


def _read(path: Path) -> tuple[dict, dict[str, str]]:
    """Return what a file holds, and the metadata of a safetensors file."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118 (no dict)
        value = torch_file.read(path)
        return value if isinstance(value, dict) else {}, {}
    except FileNotFoundError as error:
        raise ModelError(f"There is no weights file {path}. Check the path.") from error
    except UnsafeError as error:
        raise ModelError(
            f"{path} is not a plain file of weights: it asks for {error} to be run, which was refused. "
            "Do not trust it; get the weights from another source."
        ) from error
    except (SafetensorError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is not a readable weights file ({reason}). Download it again.") from error


def _unwrap(raw: Mapping, label: str) -> State:
    """Take the tensors out of a training framework's wrapper and the prefix of DataParallel off their names."""
    for key in ("state_dict", "ema", "model"):
        if isinstance(raw.get(key), Mapping):
            raw = raw[key]
            break
    state = {key: value for key, value in raw.items() if isinstance(value, Tensor)} if isinstance(raw, Mapping) else {}
    if not state:
        raise ModelError(f"{label} holds no tensors. Give a checkpoint of a pose network.")
    if all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    if any(key.startswith("vitdetr.") for key in state):  # POTR's Lightning module holds its criterion beside it
        state = {key.removeprefix("vitdetr."): value for key, value in state.items() if key.startswith("vitdetr.")}
        return _unwrap(state, label)  # DataParallel may stand inside, too
    if len(state) > MOST_TENSORS:
        raise ModelError(f"{label} holds {len(state)} tensors, and no pose network has more than {MOST_TENSORS}.")
    try:
        torch_file.check_sharing(state.values())
    except ValueError as error:
        raise ModelError(f"{label} is not trusted: {error}. Get the weights from another source.") from error
    return state


def _settings(raw: Mapping, notes: Mapping[str, str], label: str) -> dict[str, Any]:
    """Return what a Lightning file's hyper-parameters, or `metadata`, tell of a network that its weights do not."""
    told = raw.get("hyper_parameters")
    told = told if isinstance(told, Mapping) else {}
    size, activation = told.get("input_size"), told.get("activation", notes.get("activation"))
    if size is None and re.fullmatch(r"\d{1,9}x\d{1,9}", notes.get("input_size", "")):
        size = [int(pixels) for pixels in notes["input_size"].split("x")]
    settings: dict[str, Any] = {}
    match size:
        case [int(width), int(height)] if 0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS:
            settings["input_size"] = (height, width)
        case [_, _]:
            raise ModelError(f"{label} states crops of {size}, beyond {MOST_PIXELS} pixels. Give an intact checkpoint.")
    if activation in ACTIVATIONS:
        settings["activation"] = activation
    return settings


def _of_dataset(network: nn.Module, dataset: str, label: str) -> nn.Module:
    """Return the part of a network that answers for a dataset; all of it where it is of that dataset only."""
    wanted = len(skeleton(dataset))
    if not isinstance(network, ViTPosePlus):
        if network.num_keypoints == wanted:
            return network
        fitting = [name for name, known in DATASETS.items() if len(known) == network.num_keypoints]
        remedy = f"Add --dataset {' or '.join(fitting)}." if fitting else "Give weights of one of its datasets."
        raise ModelError(
            f"{label} estimates {network.num_keypoints} keypoints, but the skeleton of {dataset} has {wanted}. {remedy}"
        )
    heads = list(DATASETS)[: len(network.heads)]
    if dataset not in heads:
        raise ModelError(
            f"{label} has a head for {', '.join(heads)} only, none for {dataset}: the hub's files of ViTPose+ are so. "
            "Give a checkpoint with all heads from the page that `posetrack models info vitpose-plus-s` tells."
        )
    return network.split(heads.index(dataset))


def _build(state: State, label: str, **arguments: Any) -> nn.Module:
    """Build the network and load it, strictly; one that does not fit is found out before it takes memory."""
    try:
        with torch.device("meta"):
            network, kept = recognise(state, label, **arguments)
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{label} has tensors of a known network in shapes that none has ({reason}). Give an intact checkpoint."
        ) from error
    _check_fit(network, kept, label)
    network, kept = recognise(state, label, **arguments)
    network.load_state_dict(kept, strict=False)  # only the counters of batch normalisation may be absent
    return network


def _check_fit(network: nn.Module, state: State, label: str) -> None:
    if problems := misfit(network.state_dict(), state):
        raise ModelError(
            f"{label} looks like {type(network).__name__} but does not fit it ({problems}). "
            "Give a checkpoint of one of the networks that `posetrack models` lists."
        )


def misfit(wanted: State, state: State) -> str:
    """Say how a state dict differs in keys and shapes from the one that is wanted; empty when it fits.

    Counters of batch normalisation may be absent: old files have none, and nothing depends on them.
    """
    missing = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in wanted]
    misshapen = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}"
        for key, value in wanted.items()
        if key in state and state[key].shape != value.shape
    ]
    return "; ".join(
        f"{len(found)} {word}: {', '.join(found[:3])}"
        for word, found in (("missing", missing), ("unknown", unknown), ("misshapen", misshapen))
        if found
    )
