"""Networks on OpenVINO: the fastest way on a processor, and without torch at run time."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import ConversionError, ModelError
from ....models.export.openvino_door import ov
from ....models.weights.cache import cache_folder
from ....models.weights.card import KEY
from .choice import BF16_FLAGS, Choice
from .machine import flags, threads

_HINTS = {"fp32": "f32", "bf16": "bf16"}
_SIZES = 8  # graphs in memory at once, each with its own copy of the weights
_NAMES = {"f32": "fp32", "bf16": "bf16", "f16": "fp16"}


def exact_layers(precision: str) -> str:
    """Return the precision of those layers of a network that are not in eight bits."""
    if precision != "int8":
        return precision  # all of them
    return "bf16" if any(flag in flags() for flag in BF16_FLAGS) else "fp32"


class OpenVinoRuntime:
    """See `Runtime`. The graph's batch stays open: one graph for every number of people, at no measurable cost.

    A network that takes pictures of any size gets a graph for each size, a tenth faster than one for all of them. The
    two differ in the last bits, so a size that shared one would make answers depend on earlier pictures. Any thread may
    ask.

    Args:
        path: `.xml` (OpenVINO's own) or `.onnx`.
        choice: what was decided.
        any_size: whether the network takes pictures of any size.
        streams: how many batches are answered at once, each by its share of the threads.
        keep: a folder for the first size's graph, which then loads at once the next time; none when left out.

    Raises:
        ConversionError: the file cannot be read or run.
    """

    name = "openvino"

    def __init__(
        self, path: str | Path, choice: Choice, *, any_size: bool = False, streams: int = 1, keep: Path | None = None
    ) -> None:
        self._path, self._keep = Path(path), keep
        self.streams = min(streams, threads())
        self._config = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": self.streams,
            "ENABLE_CPU_PINNING": False,  # two networks side by side would be pinned to the same core
            "INFERENCE_NUM_THREADS": threads(),
            "INFERENCE_PRECISION_HINT": _HINTS[exact_layers(choice.precision)],
            "CACHE_DIR": str(cache_folder() / "openvino"),
        }
        self.device = f"cpu ({threads()} threads)"
        self.precision, self.reason = choice.precision, choice.reason
        self._compiling = threading.Lock()
        self._first: tuple[int, ...] | None = None  # shape of the pictures whose graph is kept
        self._sized: dict[tuple[int, ...], _Graph] = {}  # by the shape of the pictures, the last used at the end
        self._open = None if any_size else self._compile(self._path)

    def __call__(self, images: NDArray[np.float32]) -> Any:
        """Answer a batch."""
        graph = self._graph(images.shape)
        with graph.request() as request:
            outputs = request.infer({0: images}, share_inputs=True)
            arrays = [np.array(value) for value in outputs.values()]  # the request's own serve its next batch
        if len(arrays) == 1:
            return arrays[0]
        return dict(zip([next(iter(output.names)) for output in outputs], arrays, strict=True))

    def _graph(self, shape: tuple[int, ...]) -> _Graph:
        if self._open:
            return self._open
        with self._compiling:
            self._first = self._first or shape
            graph = self._sized.pop(shape, None) or self._compile(self._shaped(shape))
            self._sized[shape] = graph
            if len(self._sized) > _SIZES:
                del self._sized[next(iter(self._sized))]
            return graph

    def _shaped(self, shape: tuple[int, ...]) -> Any:
        """Return the network for pictures of one shape: the file where it may be kept, or the graph."""
        file = self._keep and shape == self._first and self._keep / f"{self._path.stem}-{'x'.join(map(str, shape))}.xml"
        if file and file.is_file():
            return file
        with _sentence(self._path):
            model = _core().read_model(self._path)
            model.reshape(shape)
            if not file:
                return model
            # under another name first: a second run may be at it, too
            fresh = file.with_name(f"{os.getpid()}-{file.name}")
            ov.save_model(model, fresh, compress_to_fp16=False)
            fresh.with_suffix(".bin").replace(file.with_suffix(".bin"))
            fresh.replace(file)
            return file

    def _compile(self, source: Any) -> _Graph:
        with _sentence(self._path):
            compiled = _core().compile_model(source, "CPU", self._config)
            hint = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
            if self.precision != "int8":
                self.precision = _NAMES.get(hint, hint)  # what the plugin really took
            return _Graph(compiled)


class _Graph:
    """A compiled network."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self._idle = [compiled.create_infer_request()]

    @contextlib.contextmanager
    def request(self) -> Iterator[ov.InferRequest]:
        """Lend a request that no other thread has."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        yield request
        self._idle.append(request)


@contextlib.contextmanager
def _sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConversionError(f"OpenVINO cannot run '{path}': {reason}. Export it again.") from error


@functools.cache
def _core() -> ov.Core:
    return ov.Core()


def read_card(path: str | Path) -> str:
    """Return the card's text of an `.xml` or `.onnx` file; empty where it has none.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        model = _core().read_model(Path(path))
    except RuntimeError as error:
        raise ModelError(f"Cannot read '{path}': it is no complete OpenVINO or ONNX file. Export it again.") from error
    for place in ([KEY], ["framework", KEY]):  # its own files, and ONNX
        if model.has_rt_info(place):
            return model.get_rt_info(place).astype(str)
    return ""
