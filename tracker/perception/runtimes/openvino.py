"""The OpenVINO backend: the fastest one on a CPU, without torch at run time."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import ConversionError, ModelError
from ....installation import explain
from ....models.cache import cache_folder
from ....models.export.openvino_import import ov
from ....models.weights.card import KEY
from .choice import BF16_FLAGS, Choice
from .machine import describe_cpu, flags, threads
from .store import discard, exclusive, has_sums, is_intact, store_sums

_HINTS = {"fp32": "f32", "bf16": "bf16"}
_KEPT_SIZES = 4  # maximum number of image sizes in the cache, 16 MB each
_SIZES = 8  # maximum number of graphs in memory, each with its own copy of the weights
_NAMES = {"f32": "fp32", "bf16": "bf16", "f16": "fp16"}


def exact_layers(precision: str) -> str:
    """Return the precision of the layers that are not quantized."""
    if precision != "int8":
        return precision  # all of them
    return "bf16" if any(flag in flags() for flag in BF16_FLAGS) else "fp32"


class OpenVinoRuntime:
    """A thread-safe `Runtime`. The batch size is dynamic: one graph for any number of people, at no measurable cost.

    A network that takes images of any size gets one graph per image size, a tenth faster than one dynamic graph. The
    two differ in the last bits, so a shared graph would make results depend on earlier images.

    Args:
        path: `.xml` (OpenVINO IR) or `.onnx` file.
        choice: device and precision.
        any_size: whether the network takes images of any size.
        streams: number of concurrent batches, which share the threads.
        keep: folder in which the graph of the first image size is cached for later starts; None for no cache.

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
            "ENABLE_CPU_PINNING": False,  # two concurrent networks would be pinned to the same core
            "INFERENCE_NUM_THREADS": threads(),
            "INFERENCE_PRECISION_HINT": _HINTS[exact_layers(choice.precision)],
        }
        self.device = describe_cpu(threads())
        self.precision, self.reason = choice.precision, choice.reason
        self._compiling = threading.Lock()
        self._first: tuple[int, ...] | None = None  # image shape of the cached graph
        self._sized: dict[tuple[int, ...], _Graph] = {}  # by image shape, least recently used first
        self._open = None if any_size else self._compile(self._path)

    def __call__(self, images: NDArray[np.float32]) -> Any:
        """Run a batch."""
        graph = self._graph(images.shape)
        with graph.request() as request:
            outputs = request.infer({0: images}, share_inputs=True)
            arrays = [np.array(value) for value in outputs.values()]  # the request reuses its output buffers
        if len(arrays) == 1:
            return arrays[0]
        return dict(zip([next(iter(output.names)) for output in outputs], arrays, strict=True))

    def _graph(self, shape: tuple[int, ...]) -> _Graph:
        if self._open:
            return self._open
        with self._compiling:
            self._first = self._first or shape
            graph = self._sized.pop(shape, None) or self._compile_for(shape)
            self._sized[shape] = graph
            if len(self._sized) > _SIZES:
                del self._sized[next(iter(self._sized))]
            return graph

    def _compile_for(self, shape: tuple[int, ...]) -> _Graph:
        with exclusive():  # another process must not remove the file before it is compiled
            return self._compile(self._shaped(shape))

    def _shaped(self, shape: tuple[int, ...]) -> Any:
        """Return the network for one image shape: a cached file if it is the first shape, or a model in memory."""
        file = self._keep and shape == self._first and self._keep / f"{self._path.stem}-{'x'.join(map(str, shape))}.xml"
        if file and is_intact(file):
            file.touch()
            return file
        with _sentence(self._path):
            model = _core().read_model(self._path)
            model.reshape(shape)
            if not file:
                return model
            with TemporaryDirectory(dir=file.parent.parent, prefix="new-") as folder:
                fresh = Path(folder) / file.name
                ov.save_model(model, fresh, compress_to_fp16=False)
                store_sums(fresh)
                for part in sorted(fresh.parent.iterdir()):
                    part.replace(file.with_name(part.name))
            _remove_old(file)
            return file

    def _compile(self, source: Any) -> _Graph:
        with _sentence(self._path), _kept_graphs(source) as folder:
            compiled = _core().compile_model(source, "CPU", self._config | {"CACHE_DIR": folder})
            hint = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
            if self.precision != "int8":
                self.precision = _NAMES.get(hint, hint)  # the precision that the plugin actually uses
            return _Graph(compiled)


class _Graph:
    """A compiled network."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self._idle = [compiled.create_infer_request()]

    @contextlib.contextmanager
    def request(self) -> Iterator[ov.InferRequest]:
        """Provide a request that no other thread uses."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        yield request
        self._idle.append(request)


@contextlib.contextmanager
def _kept_graphs(source: Any) -> Iterator[str]:
    """Provide the folder of a file's compiled graphs, without damaged ones; empty for a network in memory."""
    if not isinstance(source, Path):
        yield ""
        return
    folder = _graphs_of(source)
    with exclusive():
        for graph in folder.glob("*.blob"):
            if not is_intact(graph):
                discard(graph)
        yield str(folder)
        for graph in folder.glob("*.blob"):
            with contextlib.suppress(OSError):  # the folder cannot be written
                if not has_sums(graph):
                    store_sums(graph)


def _graphs_of(file: Path) -> Path:
    """Return the folder of a file's compiled graphs: beside a file of the cache, in the cache for any other one."""
    if file.is_relative_to(cache_folder()):
        return file.with_suffix(".graphs")
    return cache_folder() / "openvino" / hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:24]


def _remove_old(file: Path) -> None:
    """Keep the files of the last image sizes only."""
    others = sorted(file.parent.glob(f"{file.stem.partition('-')[0]}-*.xml"), key=lambda path: path.stat().st_mtime)
    for old in others[:-_KEPT_SIZES]:
        discard(old)
        shutil.rmtree(_graphs_of(old), ignore_errors=True)


@contextlib.contextmanager
def _sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        why = explain(error) or ConversionError(f"OpenVINO cannot run '{path}': {reason}. Export it again.")
        raise why from error


@functools.cache
def _core() -> ov.Core:
    # The first conversion of an element type loads NumPy's C interface. If two threads of inference make it at once,
    # one waits for the interpreter lock and the other one holds it while it waits: a deadlock. So it is made here.
    ov.Type.f32.to_dtype()
    return ov.Core()


def read_card(path: str | Path) -> str:
    """Return the card stored in an `.xml` file as text; empty if it has none.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        model = _core().read_model(Path(path))
    except RuntimeError as error:
        raise ModelError(
            f"Cannot read the network '{path}': it is not a complete OpenVINO file. Export it again."
        ) from error
    return str(model.get_rt_info([KEY]).astype(str)) if model.has_rt_info([KEY]) else ""
