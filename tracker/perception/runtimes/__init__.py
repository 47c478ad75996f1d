"""What computes a network: torch, OpenVINO or ONNX Runtime, behind one small interface."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Runtime(Protocol):
    """Callable `(images (B, 3, H, W) float32) -> outputs`: one array, or a dict of arrays where there are several.

    B is any number from 1 on. The answer belongs to the caller.

    Attributes:
        name: `torch`, `openvino` or `onnxruntime`.
        device: for people, e.g. `cpu (2 threads)` or `cuda:0 (NVIDIA H200)`.
        precision: `fp32`, `bf16` or `fp16`: what the bulk of the work is computed in.
        reason: why this one was chosen.
        streams: how many batches it answers at once, asked by as many threads.
    """

    name: str
    device: str
    precision: str
    reason: str
    streams: int

    def __call__(self, images: NDArray[np.float32], /) -> Any:
        """Answer a batch."""
        ...
