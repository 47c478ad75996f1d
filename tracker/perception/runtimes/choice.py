"""Choose the inference backend, the device and the numeric precision: one pure function, testable and printable."""

from __future__ import annotations

from dataclasses import dataclass

from ....errors import DeviceError, UsageError
from .machine import Machine

RUNTIMES = ("auto", "torch", "openvino", "onnxruntime")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
INT8_FLAGS = ("amx_int8", "avx512_vnni", "avx_vnni")  # without them, int8 is no faster than 16 bits
BF16_FLAGS = ("amx_bf16", "avx512_bf16")  # without them, bfloat16 is emulated and slower than float32
PACKAGES = {"openvino": "openvino", "onnxruntime": "posetrack[onnx]", "torch": "posetrack[full]"}

_READS = {"": RUNTIMES[1:], ".xml": ("openvino",), ".onnx": ("openvino", "onnxruntime")}
_KNOWN = {  # (runtime, device) -> precisions, the default first
    ("torch", "cpu"): ("fp32", "bf16"),
    ("torch", "cuda"): ("fp16", "bf16", "fp32"),
    ("torch", "mps"): ("fp32", "fp16"),
    ("openvino", "cpu"): ("fp32", "bf16"),
    ("onnxruntime", "cpu"): ("fp32",),
    ("onnxruntime", "cuda"): ("fp32", "fp16"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen inference backend, device and precision.

    Attributes:
        runtime: `torch`, `openvino` or `onnxruntime`.
        device: `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `fp32`, `bf16`, `fp16` or `int8`.
        reason: why, for display.
    """

    runtime: str
    device: str
    precision: str
    reason: str


def choose(
    runtime: str, device: str, precision: str, *, machine: Machine, suffix: str = "", int8: bool = False
) -> Choice:
    """Choose what is `auto`; explicit requests are followed or refused, never replaced.

    Args:
        runtime: one of `RUNTIMES`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: one of `PRECISIONS`.
        machine: hardware and installed packages.
        suffix: suffix of an exported file, which limits the backends; empty for weights.
        int8: whether a checked int8 version of the network exists.

    Raises:
        UsageError: a name is unknown, or the combination is not supported.
        DeviceError: the package is not installed.
    """
    for what, value, known in (("Runtime", runtime, RUNTIMES), ("Precision", precision, PRECISIONS)):
        if value not in known:
            raise UsageError(f"{what} '{value}' is not known. Use {', '.join(known[:-1])} or {known[-1]}.")
    if runtime not in ("auto", *_READS[suffix]):
        raise UsageError(f"Runtime '{runtime}' does not read {suffix} files. Use {' or '.join(_READS[suffix])}.")
    chosen = device
    if device == "auto":
        on_gpu = machine.gpu if runtime in ("auto", "torch") else "cuda" if machine.gpu == "cuda" else ""
        chosen = "cpu" if runtime == "openvino" or suffix else on_gpu or "cpu"
    reason = "as asked"
    kind = chosen.split(":")[0]
    if kind not in ("cpu", "cuda", "mps"):
        raise UsageError(f"Device '{device}' is not known. Use auto, cpu, cuda, cuda:N or mps.")
    if runtime == "auto":
        runtime, reason = _fastest(chosen, suffix, machine)
    if runtime not in machine.installed:
        raise DeviceError(
            f"Runtime '{runtime}' on {chosen} is needed, but not installed. Run: pip install '{PACKAGES[runtime]}'."
        )
    takes = _KNOWN.get((runtime, kind))
    if takes is None:
        kinds = [known for name, known in _KNOWN if name == runtime]
        raise UsageError(f"Runtime '{runtime}' does not run on {chosen} here, only on {' or '.join(kinds)}.")
    if precision == "auto":
        precision = takes[0]
        if (runtime, kind) == ("openvino", "cpu"):
            precision, why = _cpu_precision(machine, int8)
            reason = f"{reason}; {why}"
    elif precision not in takes:
        raise UsageError(
            f"Precision '{precision}' is not available with {runtime} on {kind}. Use {' or '.join(takes)}."
        )
    return Choice(runtime, chosen, precision, reason)


def _fastest(device: str, suffix: str, machine: Machine) -> tuple[str, str]:
    if suffix == ".onnx" and (device != "cpu" or "openvino" not in machine.installed):
        return "onnxruntime", "the one that reads this file there"
    if suffix:
        return "openvino", "the fastest that reads this file"
    if device != "cpu":
        return "torch", "the fastest on a GPU"
    if "openvino" in machine.installed:
        return "openvino", "the fastest on a processor"
    return "torch", "OpenVINO, which is faster on a processor, is not installed"


def _cpu_precision(machine: Machine, int8: bool) -> tuple[str, str]:
    flag = next((flag for flag in INT8_FLAGS if flag in machine.flags), None)
    if int8 and flag:
        return "int8", f"int8 because this network passed its gate and the processor has {flag}"
    flag = next((flag for flag in BF16_FLAGS if flag in machine.flags), None)
    if flag:
        return "bf16", f"bf16 because the processor has {flag}"
    return "fp32", "fp32 because the processor has no bf16 instructions"
