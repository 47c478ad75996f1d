"""Throughput of a pose network alone, in crops per second and as a share of the device's matrix throughput."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np
import torch

from ...models.weights.card import PoseCard
from ...models.weights.locate import variant
from ..perception.runtimes import Runtime
from ..perception.runtimes.load import load_runtime
from ..perception.runtimes.machine import threads
from ..perception.runtimes.store import Loaded
from .machine import machine

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def measure_network(name: str, batches: Sequence[int], *, file: Path, rounds: int, **where: str) -> dict[str, Any]:
    """Time a network with random weights and a matrix product, in turns.

    Args:
        name: name of the network.
        batches: batch sizes, in crops.
        file: placeholder for the weights' file; it is created.
        rounds: number of timed turns, after one to warm up.
        where: `device`, `runtime` and `precision`, as in `load_runtime`.

    Returns:
        `network`, name, backend, precision and device; `peak`, GFLOP/s of a product of square matrices by torch, with
        the same precision, device and threads; `batches`, by batch size the `median` in ms, `crops` per second, and
        `share`, the network's FLOP/s relative to `peak`, where one multiply-add is two operations; `machine`.

    Raises:
        UsageError: the network is unknown.
    """
    known = variant(name)
    runtime = _start(name, file, where)
    product = Product(runtime)
    work: dict[str, Callable[[], Any]] = {"peak": product}
    for count in batches:
        crops = np.zeros((count, 3, *known.input_size), np.float32)
        work[str(count)] = partial(runtime, crops)
    seconds = _in_turns(work, rounds)
    peak = product.operations / seconds.pop("peak") / 1e9
    return {
        "network": f"{name}: {runtime.name} {runtime.precision} on {runtime.device}",
        "peak": peak,
        "batches": {
            count: {
                "median": 1000 * took,
                "crops": int(count) / took,
                "share": 2 * known.gmacs * int(count) / took / peak,
            }
            for count, took in seconds.items()
        },
        "machine": machine(),
    }


class Product:
    """Multiply two square matrices with the device and precision of a backend.

    Attributes:
        operations: floating-point operations of one product.
    """

    def __init__(self, runtime: Runtime) -> None:
        device = torch.device(runtime.device.split()[0])
        side = 2048 if device.type == "cpu" else 8192  # sizes near the peak throughput
        self.operations = 2 * side**3
        self._pair = torch.randn(2, side, side, device=device).to(_TYPES[runtime.precision])
        torch.set_num_threads(threads())

    def __call__(self) -> None:
        """Compute one product and wait for it."""
        (self._pair[0] @ self._pair[1])[0, 0].item()


def _start(name: str, file: Path, where: Mapping[str, str]) -> Runtime:
    network: Any = variant(name).build().eval()
    card = PoseCard(input_size=network.input_size, processing=network.processing.name, family=type(network).__name__)
    file.touch()
    words = cast(dict[str, Any], where)
    return load_runtime("pose", file, lambda: Loaded(file, network, card), **words)[0]


def _in_turns(work: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median time of each function in seconds."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            times[name].append(time.perf_counter() - start)
    return {name: median(own[1:]) for name, own in times.items()}
