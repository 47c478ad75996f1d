"""A torch network's answer as arrays, the form that `processing` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def arrays(output: Any) -> Any:
    """Return a tensor, or a dict's tensors, as float32 arrays; of a tuple, the first element counts.

    What a dict holds beside tensors (POTR's inner layers) is for training and left out.
    """
    if isinstance(output, Mapping):
        return {name: arrays(value) for name, value in output.items() if torch.is_tensor(value)}
    return (output[0] if isinstance(output, tuple) else output).float().cpu().numpy()
