"""Round a pose network to eight bits, by the ranges that its layers show on a few crops of people."""

from __future__ import annotations

import contextlib
import io
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
from .openvino_door import ov

LAYERS = frozenset({"Convolution", "ConvolutionBackpropData", "GroupConvolution", "MatMul"})  # that have weights

# Depthwise layers have few weights a channel, of very different size; the first ones of the bundled network lose most.
DEPTHWISE = ["GroupConvolution"]
FIRST = [r".*backbone\.layers\.[012]\..*"]


def to_int8(path: str | Path, target: str | Path, crops: NDArray[np.float32]) -> None:
    """Write a network with eight-bit weights and activations.

    Post-training quantisation with SmoothQuant and bias correction. Softmax, normalisations and depthwise
    convolutions, the bundled network's first layers and the last layers, whose answer is read to a fraction of a pixel,
    stay as they are.

    Args:
        path: of a pose network, `.xml`, as `export.write` made it.
        target: `.xml` to be.
        crops: (N, 3, h, w), what the network will see; a hundred are plenty.

    Raises:
        ConversionError: NNCF is not installed, or cannot do it.

    Source: NNCF's `quantize`; SmoothQuant is Xiao et al. 2023, https://arxiv.org/abs/2211.10438.
    """
    nncf: Any = _nncf()
    model = ov.Core().read_model(Path(path))
    card = cards.from_text(model.get_rt_info([cards.KEY]).astype(str))
    assert isinstance(card, cards.PoseCard)
    exact = nncf.IgnoredScope(names=_last_layers(model), types=DEPTHWISE, patterns=FIRST, validate=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its progress
            quantized = nncf.quantize(
                model,
                nncf.Dataset([crop[None] for crop in crops]),
                model_type=nncf.ModelType.TRANSFORMER,
                preset=nncf.QuantizationPreset.PERFORMANCE,
                subset_size=len(crops),
                ignored_scope=exact,
            )
    except Exception as error:  # its errors have no common class
        raise ConversionError(f"NNCF cannot bring '{path}' to int8: {str(error).strip().splitlines()[0]}.") from error
    quantized.set_rt_info(cards.to_text(replace(card, int8=True)), cards.KEY)
    ov.save_model(quantized, Path(target), compress_to_fp16=False)


def _nncf() -> ModuleType:
    os.environ.setdefault("NNCF_CI", "1")  # without it, NNCF reports its use to its makers over the network
    nncf: Any = need("nncf", "posetrack[int8]")
    nncf.set_log_level("ERROR")
    return nncf


def _last_layers(model: Any) -> list[str]:
    """Return the names of the layers behind which there is none on the way to an output."""
    found, seen, waiting = set(), set(), list(model.get_results())
    while waiting:
        node = waiting.pop()
        name = node.get_friendly_name()
        if node.get_type_name() in LAYERS:
            found.add(name)
        elif name not in seen:
            seen.add(name)
            waiting += [value.get_node() for value in node.input_values()]
    return sorted(found)
