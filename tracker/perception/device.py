"""Resolve the requested torch device; never fall back to another one silently."""

from __future__ import annotations

import torch

from ...errors import DeviceError, UsageError
from .runtimes.machine import describe_cpu


def resolve_device(name: str) -> torch.device:
    """Return the available device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        UsageError: the name is none of these.
        DeviceError: the device is not available.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda:0")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"Device '{name}' is not known. Use auto, cpu, cuda, cuda:N or mps.")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            there = f"{count} CUDA device(s) are there" if count else f"torch {torch.__version__} finds no CUDA device"
            raise DeviceError(
                f"Device '{name}' was requested, but {there}. Install a CUDA build of torch and its driver, "
                "or use --device cpu."
            )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("Device 'mps' was requested, but this machine has none. Use --device cpu.")
    return device


def describe(device: torch.device) -> str:
    """Return a device's display name, e.g. `cuda:0 (NVIDIA H200)` or `cpu (2 threads)`."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return describe_cpu(torch.get_num_threads()) if device.type == "cpu" else str(device)
