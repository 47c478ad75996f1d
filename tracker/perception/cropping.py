"""Where the crops of people are cut: on the device of the pose network, or on the processor."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...models.geometry import crop
from ...models.geometry.processing import Processing
from .runtimes import Runtime


class Cropper(Protocol):
    """Cuts the people of frames into the input of a pose network."""

    def upload(self, image: NDArray[np.uint8]) -> Any:
        """Return an image (H, W, 3) BGR where `cut` takes it; one call per frame."""
        ...

    def buffer(self, count: int) -> Any:
        """Return room for crops (count, 3, h, w) float32; a later call in the same thread may return the same room."""
        ...

    def cut(self, image: Any, matrices: NDArray[np.floating], out: Any) -> None:
        """Fill `out` (N, 3, h, w), a part of a buffer, with the normalised crops of N maps (N, 2, 3)."""
        ...


def cropper_for(network: Runtime, processing: Processing, input_size: tuple[int, int]) -> Cropper:
    """Return what cuts the crops of a network: on its device if it runs in torch on a GPU, otherwise on the processor.

    Args:
        network: inference backend.
        processing: conventions of the network.
        input_size: (height, width) of the crops.
    """
    if network.name == "torch" and not network.device.startswith("cpu"):
        from .device_cropping import DeviceCropper

        return DeviceCropper(network.device.split()[0], processing, input_size)
    return ProcessorCropper(processing, input_size)


class ProcessorCropper:
    """A `Cropper` that cuts crops with OpenCV, into arrays."""

    def __init__(self, processing: Processing, input_size: tuple[int, int]) -> None:
        self._processing, self._input_size = processing, input_size
        self._buffers = threading.local()  # .crops: of each thread, reused from frame to frame

    def upload(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the image itself."""
        return image

    def buffer(self, count: int) -> NDArray[np.float32]:
        """Return this thread's buffer for `count` crops."""
        crops: NDArray[np.float32] | None = getattr(self._buffers, "crops", None)
        if crops is None or len(crops) < count:
            crops = self._buffers.crops = np.empty((count, 3, *self._input_size), np.float32)
        return crops[:count]

    def cut(self, image: NDArray[np.uint8], matrices: NDArray[np.floating], out: NDArray[np.float32]) -> None:
        """Fill `out` with crops."""
        kind = self._processing
        crops = kind.warp(image, matrices, input_size=self._input_size)
        crop.normalize(crops, out, factors=kind.factors, shifts=kind.shifts)
