"""The torch backend: the fastest one on a GPU, and the reference on a CPU."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ....models.geometry.arrays import to_arrays
from ..device import describe, resolve_device
from .batches import joined
from .choice import Choice

BATCHES = (1, 2, 4, 8, 16, 32, 64)  # batch sizes of the captured CUDA graphs; batches are padded to the next size
MOST_GRAPHS = 16  # images of many shapes: further shapes run without a CUDA graph
WARM_UP = 3  # calls before a capture, in which libraries choose kernels and allocate workspaces

_Captured = tuple[torch.cuda.CUDAGraph, Tensor, Any, list[Tensor]]  # graph, its input and output, tensors that it reads
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CAPTURES = threading.Lock()  # a capture begins with a wait for the whole device, which would break another one


class TorchRuntime:
    """A `Runtime`.

    Threads take turns: captured graphs and YOLO's anchors are shared memory.

    On CUDA, each input shape is captured once as a CUDA graph and replayed, so that a small network needs one launch
    instead of hundreds. On a CPU, bf16 uses autocast.

    Args:
        network: takes (B, 3, h, w); if it returns a tuple, the first element is used.
        choice: device and precision.
    """

    name, streams = "torch", 1

    def __init__(self, network: nn.Module, choice: Choice | None = None) -> None:
        choice = choice or Choice("torch", "cpu", "fp32", "as asked")
        self._device = resolve_device(choice.device)
        self._type = _TYPES[choice.precision]
        self._autocast = self._device.type == "cpu" and self._type is not torch.float32
        weights = torch.float32 if self._autocast else self._type
        network = network.eval().to(self._device, weights)
        self._network: Any = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        self._turn = threading.Lock()
        self._graphs: dict[tuple[int, ...], _Captured] = {}
        self.device, self.precision, self.reason = describe(self._device), choice.precision, choice.reason

    def __call__(self, images: NDArray[np.float32] | Tensor) -> Any:
        """Run a batch: an array, or a float32 tensor on the network's device."""
        with self._turn, torch.inference_mode():
            return self._run(torch.as_tensor(images))

    def _run(self, images: Tensor) -> Any:
        if self._device.type != "cuda":
            return to_arrays(self._forward(self._upload(images)))
        if len(images) > BATCHES[-1]:
            parts = [self._run(images[i : i + BATCHES[-1]]) for i in range(0, len(images), BATCHES[-1])]
            return joined(parts)
        return self._replay(images.to(self._device))  # before its type changes, which is the GPU's work

    def _upload(self, images: Tensor) -> Tensor:
        kind = torch.float32 if self._autocast else self._type
        return images.to(self._device, kind).contiguous(memory_format=torch.channels_last)

    def _forward(self, images: Tensor) -> Any:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._autocast):
            output = self._network(images)
        return output[0] if isinstance(output, tuple) else output

    def _replay(self, images: Tensor) -> Any:
        """Copy a batch into the input of its captured graph and replay the graph."""
        count = len(images)
        size = next(batch for batch in BATCHES if batch >= count)
        key = (size, *images.shape[2:])
        if key not in self._graphs:
            if len(self._graphs) == MOST_GRAPHS:
                return to_arrays(self._forward(self._upload(images)))
            with _CAPTURES:
                self._graphs[key] = self._capture(self._upload(images.new_zeros(size, *images.shape[1:])))
        graph, inputs, output, _ = self._graphs[key]
        inputs[:count].copy_(images)
        graph.replay()
        answer = to_arrays(output)
        return {name: value[:count] for name, value in answer.items()} if isinstance(answer, dict) else answer[:count]

    def _capture(self, inputs: Tensor) -> _Captured:
        """Capture the graph of one input shape; `inputs` stays the graph's input."""
        stream = torch.cuda.Stream(self._device)
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._forward(inputs)
        torch.cuda.current_stream(self._device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # By default, a capture forbids the other threads of this process to allocate: one of them may run the detector.
        with torch.cuda.device(self._device), torch.cuda.graph(graph, capture_error_mode="thread_local"):
            output = self._forward(inputs)
        # A graph reads fixed addresses: tensors that modules hold outside their buffers (YOLO's anchors) must stay.
        kept = [
            value for module in self._network.modules() for value in vars(module).values() if torch.is_tensor(value)
        ]
        return graph, inputs, output, kept
