"""Load a network into an inference backend: from weights, a converted network in the cache, or an exported file."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....errors import ConversionError, ModelError, OutputError
from ....models.cache import sha256
from ....models.foreign.graph import OPEN, Graph
from ....models.foreign.graph import read as read_graph
from ....models.foreign.recognise import recognise
from ....models.geometry.keypoints import COCO
from ....models.geometry.skeletons import AUTO
from ....models.weights.card import KEY, Card, DetectorCard, PoseCard, SingleStageCard, from_text, kind_of
from . import Runtime, bundled, store
from .batches import FixedBatch
from .choice import Choice, choose
from .machine import this_machine

log = logging.getLogger("posetrack")

EXPORTED = (".xml", ".onnx")
_FITTING = {  # cards by the kind that is asked for
    "pose": (PoseCard, SingleStageCard),
    "detector": (DetectorCard,),
    "any": (PoseCard, DetectorCard),
}


def load_runtime(
    kind: str,
    name: str | Path,
    read: Callable[[], store.Loaded],
    *,
    shipped: Path | None = None,
    dataset: str = AUTO,
    runtime: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    streams: int = 1,
) -> tuple[Runtime, Card]:
    """Return a network's inference backend and its card.

    Args:
        kind: `pose`, `detector` or `any`.
        name: name or file of the network; a file from `posetrack export`, or an ONNX file of another project, runs
            without conversion.
        read: reads the network's weights, called only if they are needed.
        shipped: weights that may have an OpenVINO form beside them, which needs no conversion and thus no torch.
        dataset: dataset of a pose network's keypoints, or `auto`.
        runtime: `auto`, `torch`, `openvino` or `onnxruntime`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        streams: number of concurrent batches; a backend that supports only one has `streams` 1.

    Raises:
        UsageError: a name is unknown, or the combination is not supported.
        DeviceError: the device or the package is not available.
        ModelError: the network cannot be read or run.
    """
    path, key = Path(name), network_key(kind, name, dataset=dataset)
    exported = path.suffix in EXPORTED
    quantized = None if exported else store.in_int8(key)
    suffix = path.suffix if exported else ""
    choice = choose(runtime, device, precision, machine=this_machine(), suffix=suffix, int8=quantized is not None)
    if exported:
        return _exported(kind, path, choice, dataset=dataset, streams=streams, auto=precision == "auto")
    if choice.runtime == "torch":
        return _on_torch(read, choice)
    if quantized and choice.precision == "int8":
        try:
            return _start(quantized.path, choice, any_size=False, streams=streams), quantized.card
        except ConversionError as error:  # the file is broken; retry without int8
            quantized.path.unlink(missing_ok=True)
            log.warning("The int8 version of %s is broken and was removed: %s", name, error)
            return load_runtime(
                kind, name, read, shipped=shipped, dataset=dataset, runtime=runtime, device=device, streams=streams
            )
    suffix = ".xml" if choice.runtime == "openvino" else ".onnx"

    def weights() -> store.Loaded:
        ready = _bundled_form(shipped) if shipped and suffix == ".xml" else None
        return ready or read()

    try:
        return _converted(key, suffix, weights, choice, streams)
    except (ConversionError, OutputError) as error:
        if runtime != "auto":
            raise
        return _on_torch(read, Choice("torch", choice.device, "fp32", f"not {choice.runtime}: {error}"))


def _bundled_form(weights: Path) -> store.Loaded | None:
    """Return the OpenVINO form beside a file of weights; None if there is none, or it is of other weights."""
    file = weights.with_suffix(".xml")
    if not file.is_file():
        return None
    card = from_text(bundled.read_card(file))
    return store.Loaded(weights, file, card) if card.sha256 == sha256(weights) else None


def network_key(kind: str, name: str | Path, *, dataset: str = AUTO) -> str:
    """Return the key of a network in `store`."""
    place = os.path.abspath(name) if Path(name).is_file() else str(name)  # noqa: PTH100 (keeps links)
    dataset = COCO.name if dataset == AUTO else dataset  # the same network
    return "\n".join((kind, dataset, place))


def _converted(
    key: str, suffix: str, read: Callable[[], store.Loaded], choice: Choice, streams: int
) -> tuple[Runtime, Card]:
    def start() -> tuple[Runtime, Card]:
        found = store.converted(key, suffix, read)
        any_size = min(found.card.shape) < 0
        return _start(found.path, choice, any_size=any_size, streams=streams, converted=True), found.card

    try:
        return start()
    except ConversionError:  # the cached file may be broken; convert again
        store.forget(key, suffix)
        return start()


def _on_torch(read: Callable[[], store.Loaded], choice: Choice) -> tuple[Runtime, Card]:
    from ..device import resolve_device
    from .pytorch import TorchRuntime

    resolve_device(choice.device)  # before the weights are read
    weights = read()
    return TorchRuntime(weights.network, choice), weights.card


def _exported(kind: str, path: Path, choice: Choice, *, dataset: str, streams: int, auto: bool) -> tuple[Runtime, Card]:
    """Return inference backend and card of an exported file: ours, or an ONNX file of another project."""
    graph = read_graph(path) if path.suffix == ".onnx" else None
    if graph and KEY not in graph.metadata:
        return _foreign(kind, path, graph, choice, dataset=dataset, streams=streams)
    card = _card(path, graph)
    _check_kind(path, card, kind)
    if isinstance(card, PoseCard) and card.int8 and auto:
        choice = replace(choice, precision="int8", reason="the file is in int8")
    return _start(path, choice, any_size=min(card.shape) < 0, streams=streams), card


def _card(path: Path, graph: Graph | None) -> Card:
    if not path.is_file():
        raise ModelError(f"There is no file {path}. Check the path.")
    if graph:
        text = graph.metadata[KEY]
    else:
        from .openvino import read_card

        text = read_card(path)
    try:
        return from_text(text)
    except ValueError as error:
        raise ModelError(
            f"{path} has no valid posetrack metadata. Give a file that this version's `posetrack export` wrote."
        ) from error


def _foreign(
    kind: str, path: Path, graph: Graph, choice: Choice, *, dataset: str, streams: int
) -> tuple[Runtime, Card]:
    @functools.cache
    def network() -> Runtime:
        batch, _, *sides = next(iter(graph.inputs.values()))
        started = _start(path, choice, any_size=OPEN in sides, streams=streams)
        return started if batch == OPEN else FixedBatch(started, batch)

    def measure(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        outputs = network()(np.zeros(shape, np.float32))
        return [output.shape for output in (outputs.values() if isinstance(outputs, dict) else [outputs])]

    card = recognise(graph, measure, label=str(path), dataset=dataset, sha256=sha256(path))
    _check_kind(path, card, kind)
    return network(), card


def _check_kind(path: Path, card: Card, kind: str) -> None:
    if not isinstance(card, _FITTING[kind]):
        raise ModelError(f"{path} is a {kind_of(card)} network; give a {kind} network.")


def _start(path: Path, choice: Choice, *, any_size: bool, streams: int, converted: bool = False) -> Runtime:
    if choice.runtime == "openvino":
        from .openvino import OpenVinoRuntime

        keep = path.parent if converted else None
        return OpenVinoRuntime(path, choice, any_size=any_size, streams=streams, keep=keep)
    from .onnxruntime import OnnxRuntime

    return OnnxRuntime(path, choice)
