"""Networks whose file fixes the number of images of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import Runtime


class FixedBatch:
    """A `Runtime` for any number of images around one that takes exactly `size`; the last batch is filled up.

    Args:
        network: takes (size, 3, H, W).
        size: number of images.
    """

    def __init__(self, network: Runtime, size: int) -> None:
        self._network, self._size = network, size
        self.name, self.device, self.precision = network.name, network.device, network.precision
        self.reason, self.streams = network.reason, network.streams

    def __call__(self, images: NDArray[np.float32]) -> Any:
        """Run a batch."""
        count = len(images)
        if missing := -count % self._size:
            images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), np.float32)])
        outputs = joined([self._network(images[i : i + self._size]) for i in range(0, len(images), self._size)])
        self.precision = self._network.precision  # OpenVINO may state it only after its first call
        return (
            {name: output[:count] for name, output in outputs.items()} if isinstance(outputs, dict) else outputs[:count]
        )


def joined(parts: list[Any]) -> Any:
    """Concatenate the outputs of several batches: arrays, or dicts of arrays.

    A network that suppresses boxes inside returns as many rows of an image as it keeps. Where the numbers differ, rows
    of zeros follow, whose score is 0.
    """
    if isinstance(parts[0], dict):
        return {name: _concatenated([part[name] for part in parts]) for name in parts[0]}
    return _concatenated(parts)


def _concatenated(arrays: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    most = max(array.shape[1] for array in arrays)
    if any(array.shape[1] < most for array in arrays):
        filled = [((0, 0), (0, most - array.shape[1]), *[(0, 0)] * (array.ndim - 2)) for array in arrays]
        arrays = [np.pad(array, widths) for array, widths in zip(arrays, filled, strict=True)]
    return np.concatenate(arrays)
