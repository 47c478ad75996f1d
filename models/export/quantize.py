"""Quantise a pose network to int8, calibrated on crops of people."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ConversionError
from ..weights import card as cards
from .files import need
from .openvino_import import ov

LAYERS = frozenset({"Convolution", "ConvolutionBackpropData", "GroupConvolution", "MatMul"})  # that have weights

# Kept in floating point: depthwise layers, whose few weights per channel differ widely in magnitude, and the first
# layers of the bundled network, which lose the most accuracy.
DEPTHWISE = ["GroupConvolution"]
FIRST = [r".*backbone\.layers\.[012]\..*"]


def to_int8(path: str | Path, target: str | Path, crops: NDArray[np.float32]) -> None:
    """Write a network with 8-bit weights and activations.

    Post-training quantisation with SmoothQuant and bias correction. Softmax, normalisation, depthwise convolutions, the
    first layers of the bundled network and the last layers stay in floating point; the output of the last layers is
    decoded with sub-pixel accuracy.

    Args:
        path: a pose network, `.xml`, written by `files.write`.
        target: `.xml` to write.
        crops: (N, 3, h, w), normalised crops for calibration; a hundred are enough.

    Raises:
        ConversionError: NNCF is not installed or fails.

    Source: NNCF's `quantize`; SmoothQuant is Xiao et al. 2023, https://arxiv.org/abs/2211.10438.
    """
    nncf: Any = _nncf()
    model = ov.Core().read_model(Path(path))
    card = cards.from_text(model.get_rt_info([cards.KEY]).astype(str))
    assert isinstance(card, cards.PoseCard)
    exact = nncf.IgnoredScope(names=_last_layers(model), types=DEPTHWISE, patterns=FIRST, validate=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # discards its progress bars
            quantized = nncf.quantize(
                model,
                nncf.Dataset([crop[None] for crop in crops]),
                model_type=nncf.ModelType.TRANSFORMER,
                preset=nncf.QuantizationPreset.PERFORMANCE,
                subset_size=len(crops),
                ignored_scope=exact,
            )
    except Exception as error:  # NNCF's errors have no common class
        raise ConversionError(
            f"NNCF cannot quantise '{path}' to int8: {str(error).strip().splitlines()[0]}."
        ) from error
    quantized.set_rt_info(cards.to_text(replace(card, int8=True)), cards.KEY)
    ov.save_model(quantized, Path(target), compress_to_fp16=False)


def _nncf() -> ModuleType:
    os.environ.setdefault("NNCF_CI", "1")  # disables NNCF's telemetry
    nncf: Any = need("nncf", "posetrack[int8]")
    logging.getLogger("nncf").setLevel(logging.ERROR)  # its own set_log_level also changes the handlers of others
    return nncf


def _last_layers(model: Any) -> list[str]:
    """Return the names of the layers with weights that no other such layer separates from an output."""
    last, seen, waiting = set(), set(), list(model.get_results())
    while waiting:
        node = waiting.pop()
        name = node.get_friendly_name()
        if node.get_type_name() in LAYERS:
            last.add(name)
        elif name not in seen:
            seen.add(name)
            waiting += [value.get_node() for value in node.input_values()]
    return sorted(last)
