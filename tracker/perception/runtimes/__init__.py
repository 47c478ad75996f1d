"""Inference backends: torch, OpenVINO and ONNX Runtime behind one interface."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Runtime(Protocol):
    """Callable `(images (B, 3, H, W) float32) -> outputs`: one array, or a dict of arrays for several outputs.

    The batch size B is 1 or more. The caller owns the outputs.

    Attributes:
        name: `torch`, `openvino` or `onnxruntime`.
        device: display name, e.g. `cpu (2 threads)` or `cuda:0 (NVIDIA H200)`.
        precision: numeric precision of most layers: `fp32`, `bf16`, `fp16` or `int8`.
        reason: why this backend and precision were chosen.
        streams: number of batches it runs concurrently, each from its own thread.
    """

    name: str
    device: str
    precision: str
    reason: str
    streams: int

    def __call__(self, images: NDArray[np.float32], /) -> Any:
        """Run a batch."""
        ...
