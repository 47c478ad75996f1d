"""Load a network into an inference backend: from weights, a converted network in the cache, or an exported file."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....errors import ConversionError, ModelError, OutputError
from ....models.cache import sha256
from ....models.weights.card import Card, DetectorCard, PoseCard, SingleStageCard, from_text, kind_of
from . import Runtime, store
from .choice import Choice, choose
from .machine import this_machine

log = logging.getLogger("posetrack")

EXPORTED = (".xml", ".onnx")
_FITTING = {"pose": (PoseCard, SingleStageCard), "detector": (DetectorCard,)}  # cards by the kind that is asked for


def load_runtime(
    kind: str,
    name: str | Path,
    read: Callable[[], store.Loaded],
    *,
    shipped: Path | None = None,
    variant: str = "",
    runtime: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    streams: int = 1,
) -> tuple[Runtime, Card]:
    """Return a network's inference backend and its card.

    Args:
        kind: `pose` or `detector`.
        name: name or file of the network; a file from `posetrack export` runs without conversion.
        read: reads the network's weights, called only if they are needed.
        shipped: weights that may have an OpenVINO form beside them, which needs no conversion and thus no torch.
        variant: distinguishes networks of the same name in the cache.
        runtime: `auto`, `torch`, `openvino` or `onnxruntime`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        streams: number of concurrent batches; a backend that supports only one has `streams` 1.

    Raises:
        UsageError: a name is unknown, or the combination is not supported.
        DeviceError: the device or the package is not available.
        ModelError: the network cannot be read or run.
    """
    path, key = Path(name), network_key(kind, name, variant=variant)
    exported = path.suffix in EXPORTED
    rounded = None if exported else store.in_int8(key)
    suffix = path.suffix if exported else ""
    choice = choose(runtime, device, precision, machine=this_machine(), suffix=suffix, int8=rounded is not None)
    if exported:
        card = _read_card(path, choice, kind)
        if isinstance(card, PoseCard) and card.int8 and precision == "auto":
            choice = replace(choice, precision="int8", reason="the file is in int8")
        return _start(path, choice, card, streams), card
    if choice.runtime == "torch":
        return _on_torch(read, choice)
    if rounded and choice.precision == "int8":
        try:
            return _start(rounded.path, choice, rounded.card, streams), rounded.card
        except ConversionError as error:  # the file is broken; retry without int8
            rounded.path.unlink(missing_ok=True)
            log.warning("The int8 version of %s is broken and was removed: %s", name, error)
            words: dict[str, Any] = {"variant": variant, "runtime": runtime, "device": device, "streams": streams}
            return load_runtime(kind, name, read, shipped=shipped, **words)
    suffix = ".xml" if choice.runtime == "openvino" else ".onnx"

    def weights() -> store.Loaded:
        ready = _shipped(shipped) if shipped and suffix == ".xml" else None
        return ready or read()

    try:
        return _converted(key, suffix, weights, choice, streams)
    except (ConversionError, OutputError) as error:
        if runtime != "auto":
            raise
        return _on_torch(read, Choice("torch", choice.device, "fp32", f"not {choice.runtime}: {error}"))


def _shipped(weights: Path) -> store.Loaded | None:
    """Return the OpenVINO form beside a file of weights; None if there is none, or it is of other weights."""
    file = weights.with_suffix(".xml")
    if not file.is_file():
        return None
    from .openvino import read_card

    card = from_text(read_card(file))
    return store.Loaded(weights, file, card) if card.sha256 == sha256(weights) else None


def network_key(kind: str, name: str | Path, *, variant: str = "") -> str:
    """Return the key of a network in `store`."""
    place = os.path.abspath(name) if Path(name).is_file() else str(name)  # noqa: PTH100 (keeps links)
    return "\n".join((kind, variant, place))


def _converted(
    key: str, suffix: str, read: Callable[[], store.Loaded], choice: Choice, streams: int
) -> tuple[Runtime, Card]:
    found = store.converted(key, suffix, read)
    try:
        return _start(found.path, choice, found.card, streams, converted=True), found.card
    except ConversionError:  # the cached file may be broken; convert again
        store.forget(key, suffix)
        found = store.converted(key, suffix, read)
        return _start(found.path, choice, found.card, streams, converted=True), found.card


def _on_torch(read: Callable[[], store.Loaded], choice: Choice) -> tuple[Runtime, Card]:
    from ..device import resolve_device
    from .pytorch import TorchRuntime

    resolve_device(choice.device)  # before the weights are read
    weights = read()
    return TorchRuntime(weights.network, choice), weights.card


def _start(path: Path, choice: Choice, card: Card, streams: int, *, converted: bool = False) -> Runtime:
    if choice.runtime == "openvino":
        from .openvino import OpenVinoRuntime

        keep = path.parent if converted else None
        return OpenVinoRuntime(path, choice, any_size=min(card.shape) < 0, streams=streams, keep=keep)
    from .onnxruntime import OnnxRuntime

    return OnnxRuntime(path, choice)


def _read_card(path: Path, choice: Choice, kind: str) -> Card:
    if not path.is_file():
        raise ModelError(f"There is no file {path}. Check the path.")
    if choice.runtime == "openvino":
        from .openvino import read_card
    else:
        from .onnxruntime import read_card
    try:
        card = from_text(read_card(path))
    except ValueError as error:
        raise ModelError(
            f"{path} has no valid posetrack metadata. Give a file that this version's `posetrack export` wrote."
        ) from error
    if not isinstance(card, _FITTING[kind]):
        raise ModelError(f"{path} is a {kind_of(card)} network; give a {kind} network.")
    return card
