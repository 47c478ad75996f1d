"""Crops on a torch device: a frame is uploaded once, and its crops never leave the device."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...models.geometry.processing import Processing
from ...models.geometry.sampling import sample_crops
from .device import resolve_device


class DeviceCropper:
    """A `Cropper` that cuts crops on a torch device, into tensors for a `TorchRuntime`.

    Args:
        device: `cpu`, `cuda`, `cuda:N` or `mps`.
        processing: conventions of the network.
        input_size: (height, width) of the crops.

    Raises:
        DeviceError: the device is not available.
    """

    def __init__(self, device: str, processing: Processing, input_size: tuple[int, int]) -> None:
        self._device = resolve_device(device)
        self._shrinks, self._input_size = processing.shrinks, input_size
        statistics = torch.tensor([processing.factors, processing.shifts], device=self._device)
        self._factors, self._shifts = statistics.reshape(2, 3, 1, 1)

    def upload(self, image: NDArray[np.uint8]) -> Tensor:
        """Copy an image to the device."""
        # torch refuses negative strides and warns of read-only memory. Pinned memory would not help: filling it is a
        # copy of the same size.
        return torch.from_numpy(np.require(image, None, ["C", "W"])).to(self._device)

    def buffer(self, count: int) -> Tensor:
        """Return memory of the device, which torch reuses."""
        return torch.empty((count, 3, *self._input_size), device=self._device)

    def cut(self, image: Tensor, matrices: NDArray[np.floating], out: Tensor) -> None:
        """Fill `out` with crops; returns before a GPU is done, as torch's functions do."""
        with torch.inference_mode():
            sample_crops(image, matrices, out, factors=self._factors, shifts=self._shifts, shrinks=self._shrinks)
