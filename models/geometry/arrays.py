"""Convert the output of a torch network to arrays, the input of `processing`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def to_arrays(output: Any) -> Any:
    """Return a tensor, the tensors of a dict, or the first tensor of a tuple as float32 arrays.

    Other entries of a dict (POTR's intermediate layers) serve training only and are dropped.
    """
    if isinstance(output, Mapping):
        return {name: to_arrays(value) for name, value in output.items() if torch.is_tensor(value)}
    tensor = (output[0] if isinstance(output, tuple) else output).float()
    if tensor.is_cuda:  # a GPU copies into pinned memory several times as fast
        return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor).numpy()
    return tensor.cpu().numpy()
