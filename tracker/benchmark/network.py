"""Throughput of a pose network, in crops per second and as a share of the device's matrix throughput."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...models.geometry.processing import PROCESSINGS
from ...models.weights.card import PoseCard
from ...models.weights.locate import variant
from ..perception.cropping import Cropper, ProcessorCropper, cropper_for
from ..perception.device_cropping import DeviceCropper
from ..perception.runtimes import Runtime
from ..perception.runtimes.load import load_runtime
from ..perception.runtimes.machine import threads
from ..perception.runtimes.store import Loaded
from ..video.images.image import read_image
from ..video.sample import PHOTOS
from .machine import machine

FRAME = (1920, 1080)  # (width, height) of the frame that crops are cut from
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def measure_network(name: str, batches: Sequence[int], *, file: Path, rounds: int, **where: str) -> dict[str, Any]:
    """Time a network with random weights, with and without cutting its crops, and a matrix product, in turns.

    Args:
        name: name of the network.
        batches: batch sizes, in crops.
        file: placeholder for the weights' file; it is created.
        rounds: number of timed turns, after one to warm up.
        where: `device`, `runtime` and `precision`, as in `load_runtime`.

    Returns:
        `network`, name, backend, precision and device; `peak`, GFLOP/s of a product of square matrices by torch on the
        same device, see `Product`; `batches`, by batch size the `median` in ms, `crops` per second, `share`, the
        network's FLOP/s relative to `peak`, where one multiply-add is two operations, and `cut`, crops per second from
        a frame of 1920 x 1080 to the network's output, by where the crops are cut: `processor`, and `device` if the
        network runs in torch; `machine`.

    Raises:
        UsageError: the network is unknown.
    """
    known = variant(name)
    runtime, card = start(name, file, **where)
    conventions = PROCESSINGS[card.processing], card.input_size
    croppers: dict[str, Cropper] = {"processor": ProcessorCropper(*conventions)}
    if runtime.name == "torch":
        croppers["device"] = DeviceCropper(runtime.device.split()[0], *conventions)
    product, image = Product(runtime), _photograph()
    work: dict[str, Callable[[], Any]] = {"peak": product}
    for count in batches:
        matrices = _matrices(card, count)
        crops = cut_all(cropper_for(runtime, *conventions), image, matrices)
        work[str(count)] = partial(runtime, crops.copy() if isinstance(crops, np.ndarray) else crops)
        for place, cropper in croppers.items():
            work[f"{count} {place}"] = partial(_cut_and_run, runtime, cropper, image, matrices)
    seconds = _in_turns(work, rounds)
    peak = product.operations / seconds["peak"] / 1e9
    return {
        "network": f"{name}: {runtime.name} {runtime.precision} on {runtime.device}",
        "peak": peak,
        "batches": {
            str(count): {
                "median": 1000 * seconds[str(count)],
                "crops": count / seconds[str(count)],
                "share": 2 * known.gmacs * count / seconds[str(count)] / peak,
                "cut": {place: count / seconds[f"{count} {place}"] for place in croppers},
            }
            for count in batches
        },
        "machine": machine(),
    }


class Product:
    """Multiply two square matrices on the device of a backend: in bf16 on a GPU, in its own precision on a processor.

    Many processors compute bf16 more slowly than fp32, so that it is no peak there.

    Attributes:
        operations: floating-point operations of one call.
    """

    def __init__(self, runtime: Runtime) -> None:
        device = torch.device(runtime.device.split()[0])
        on_gpu = device.type != "cpu"
        side, self._times = (8192, 8) if on_gpu else (2048, 1)  # near the peak; the wait for a GPU is negligible then
        self.operations = 2 * side**3 * self._times
        self._pair = torch.randn(2, side, side, device=device).to(_TYPES["bf16" if on_gpu else runtime.precision])
        self._product = torch.empty_like(self._pair[0])
        torch.set_num_threads(threads())

    def __call__(self) -> None:
        """Compute the product, on a GPU several times, and wait for it."""
        for _ in range(self._times):
            torch.mm(self._pair[0], self._pair[1], out=self._product)
        self._product[0, 0].item()


def start(name: str, file: Path, **where: Any) -> tuple[Runtime, PoseCard]:
    """Return a pose network with random weights, and its card; arguments as of `measure_network`."""
    network: Any = variant(name).build().eval()
    card = PoseCard(input_size=network.input_size, processing=network.processing.name, family=type(network).__name__)
    file.touch()
    return load_runtime("pose", file, lambda: Loaded(file, network, card), **where)[0], card


def _photograph() -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(read_image(PHOTOS / "bus.jpg"), FRAME), np.uint8)


def _matrices(card: PoseCard, count: int) -> NDArray[np.floating]:
    """Return the maps (N, 2, 3) of people 150 to 500 pixels tall, somewhere in the frame."""
    rng = np.random.default_rng(0)
    heights = rng.uniform(150, 500, (count, 1))
    corners = rng.uniform(0, 1, (count, 2)) * (np.array(FRAME) - heights * (0.4, 1))
    processing = PROCESSINGS[card.processing]
    regions = processing.regions(np.hstack([corners, corners + heights * (0.4, 1)]), card.input_size)
    return processing.matrices(*regions, input_size=card.input_size)


def cut_all(cropper: Cropper, image: NDArray[np.uint8], matrices: NDArray[np.floating]) -> Any:
    """Cut the crops of an image by their maps (N, 2, 3), and return them as the cropper's buffer."""
    crops = cropper.buffer(len(matrices))
    cropper.cut(cropper.upload(image), matrices, crops)
    return crops


def _cut_and_run(runtime: Runtime, cropper: Cropper, image: NDArray[np.uint8], matrices: NDArray[np.floating]) -> Any:
    return runtime(cut_all(cropper, image, matrices))


def _in_turns(work: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median time of each function in seconds."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            times[name].append(time.perf_counter() - start)
    return {name: median(own[1:]) for name, own in times.items()}
