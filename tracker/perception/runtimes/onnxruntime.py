"""The ONNX Runtime backend, with its CPU, CUDA and TensorRT providers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ....errors import ConversionError, DeviceError
from ....installation import explain
from ....models.cache import cache_folder
from .choice import Choice
from .machine import describe_cpu, threads

_TYPES = {"tensor(float16)": np.float16, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8}


class OnnxRuntime:
    """A `Runtime`. On CUDA it uses TensorRT if installed, which builds and caches one engine per input shape.

    Args:
        path: `.onnx` file.
        choice: device and precision.

    Raises:
        ConversionError: the file cannot be read or run.
        DeviceError: CUDA was requested, but this build of ONNX Runtime does not support it.
    """

    name, streams = "onnxruntime", 1

    def __init__(self, path: str | Path, choice: Choice) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(path), options, providers=_providers(choice))
        except Exception as error:  # its errors have no common class
            reason = str(error).strip().splitlines()[0]
            why = explain(error) or ConversionError(f"ONNX Runtime cannot run '{path}': {reason}. Export it again.")
            raise why from error
        self._input = self._session.get_inputs()[0]
        self._type = _TYPES.get(self._input.type, np.float32)
        self._names = [output.name for output in self._session.get_outputs()]
        provider = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        if choice.device != "cpu" and provider == "CPU":  # ONNX Runtime falls back silently
            raise DeviceError(
                f"Device '{choice.device}' was requested, but ONNX Runtime cannot use it. Use --device cpu."
            )
        self.device = describe_cpu(threads()) if provider == "CPU" else f"{choice.device} ({provider})"
        self.precision = "fp16" if self._type == np.float16 else choice.precision
        self.reason = choice.reason

    def __call__(self, images: NDArray[np.float32]) -> Any:
        """Run a batch."""
        arrays = self._session.run(self._names, {self._input.name: images.astype(self._type, copy=False)})
        arrays = [array.astype(np.float32, copy=False) for array in arrays]
        return arrays[0] if len(arrays) == 1 else dict(zip(self._names, arrays, strict=True))


def _providers(choice: Choice) -> list[Any]:
    if choice.device == "cpu":
        return ["CPUExecutionProvider"]
    there = ort.get_available_providers()
    if "CUDAExecutionProvider" not in there:
        raise DeviceError(
            f"Device '{choice.device}' was requested, but this ONNX Runtime supports only {', '.join(there)}. "
            "Install onnxruntime-gpu in its place, or use --device cpu."
        )
    number = {"device_id": int(choice.device.partition(":")[2] or 0)}
    engines = {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(cache_folder() / "tensorrt")}
    half = {"trt_fp16_enable": choice.precision == "fp16"}
    tensorrt = [("TensorrtExecutionProvider", number | engines | half)] if "TensorrtExecutionProvider" in there else []
    return [*tensorrt, ("CUDAExecutionProvider", number)]
