"""Checkpoints of a training run, written atomically."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import ModelError, OutputError
from ..weights import torch_file

ReadWeights = Callable[[Path], dict[str, Tensor]]


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file; an existing one is replaced only by a complete one.

    Args:
        path: of the file.
        write: writes it under the name that it is given.

    Raises:
        OutputError: it cannot be written.
    """
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    try:
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch raises a RuntimeError at a full disk
        partial.unlink(missing_ok=True)
        why = str(error).splitlines()[0].rstrip(".")
        raise OutputError(
            f"Cannot write '{path}': {why}. Free some space; --resume continues from the last checkpoint."
        ) from error


@dataclass(slots=True)
class Run:
    """The state of a training run. Random numbers have no state: each step is seeded by (seed, step).

    Attributes:
        network: trained by the optimiser.
        average: its exponential moving average, which is validated and exported.
        optimizer: with the moments of every parameter.
        step: optimiser steps done.
        seen: samples seen, including those of the runs that this one was initialised from.
        best: highest validation score so far.
    """

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    seen: int = 0
    best: float = -1.0

    def save(self, path: Path) -> None:
        """Write a checkpoint; see `write_whole`."""
        state = {
            "model": self.network.state_dict(),
            "ema": self.average.state_dict(),
            "optimizer": _moments(self.network, self.optimizer),
            "step": self.step,
            "seen": self.seen,
            "best": self.best,
        }
        write_whole(path, lambda partial: torch.save(state, partial))

    def resume(self, path: Path) -> None:
        """Continue exactly from a checkpoint of this run.

        Raises:
            ModelError: the file is missing, or is not a checkpoint of such a run.
        """
        saved = _read(path)
        if "step" not in saved:
            raise ModelError(f"{path} is not a checkpoint of a run. Start a new run from it: --init {path}.")
        try:
            self.network.load_state_dict(saved["model"])
            self.average.load_state_dict(saved["ema"])
        except RuntimeError as error:
            raise ModelError(f"{path} is of another network: {str(error).splitlines()[-1].strip()}") from error
        _restore(self.network, self.optimizer, saved["optimizer"])
        self.step, self.seen, self.best = saved["step"], saved["seen"], saved["best"]

    def initialise(self, path: Path, *, read_weights: ReadWeights) -> None:
        """Start a new run from another one: from its weights and, with a checkpoint, its average and moments.

        Learned positions are resized to another input size. Bilinear, since the moments are resized too, and the
        second moments must stay positive.

        Args:
            path: a checkpoint of a run, of this or an earlier version; or a weights file.
            read_weights: reads a weights file.

        Raises:
            ModelError: the file is of another network.
        """
        saved = _read(path) if path.suffix == ".pt" else {}
        if not {"model", "ema", "optimizer"} <= saved.keys():
            weights = read_weights(path)
            saved = {"model": weights, "ema": weights, "optimizer": {}, "seen": 0}
        shapes = {name: value.shape for name, value in self.network.state_dict().items()}
        try:
            self.network.load_state_dict(_resized(saved["model"], shapes))
            self.average.load_state_dict(_resized(saved["ema"], shapes))
        except RuntimeError as error:
            raise ModelError(f"{path} does not fit the network: {str(error).splitlines()[-1].strip()}") from error
        moments = _by_name(saved["optimizer"], self.network)
        _restore(self.network, self.optimizer, {name: _resized(state, shapes, name) for name, state in moments.items()})
        self.seen = saved["seen"]


def _read(path: Path) -> dict[str, Any]:
    try:
        saved = torch_file.read(path)
    except FileNotFoundError as error:
        raise ModelError(f"There is no checkpoint {path}. Check the path, or start without it.") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"Cannot read the checkpoint {path} ({error}). Give an intact one.") from error
    return saved if isinstance(saved, dict) else {}


def _moments(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Any]]:
    """Return the optimiser's state by parameter name, independent of the order of its groups."""
    return {name: optimizer.state[p] for name, p in network.named_parameters() if p in optimizer.state}


def _restore(network: nn.Module, optimizer: torch.optim.Optimizer, moments: dict[str, dict[str, Any]]) -> None:
    parameters = dict(network.named_parameters())
    for name, state in moments.items():
        parameter = parameters[name]
        optimizer.state[parameter] = {
            key: value.to(parameter.device, copy=True) if isinstance(value, Tensor) else value
            for key, value in state.items()
        }


def _by_name(optimizer: dict[str, Any], network: nn.Module) -> dict[str, dict[str, Any]]:
    """Return an optimiser's state by name; in PyTorch's format of version 0.1, matrices are numbered first."""
    if "param_groups" not in optimizer:
        return optimizer
    named = list(network.named_parameters())
    order = [name for name, p in named if p.ndim > 1] + [name for name, p in named if p.ndim <= 1]
    return {order[index]: state for index, state in optimizer["state"].items()}


def _resized(state: dict[str, Any], shapes: dict[str, torch.Size], name: str = "") -> dict[str, Any]:
    """Resize positions (1, C, h, w) of another size; `name` is the parameter's if `state` holds its moments."""
    result = {}
    for key, value in state.items():
        wanted = shapes.get(name or key)
        positions = (name or key).endswith("pos_embed") and isinstance(value, Tensor) and value.ndim == 4
        if positions and wanted is not None and value.shape != wanted:
            value = F.interpolate(value, size=wanted[2:], mode="bilinear", align_corners=False)
        result[key] = value
    return result
