"""Export a network with its card to OpenVINO, ONNX or TorchScript."""

from __future__ import annotations

import contextlib
import copy
import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import ConversionError
from ..weights import card as cards

OPSET = 17  # of ONNX; the first in which LayerNorm is one node


class _NamedOutputs(nn.Module):
    """A network whose output is one tensor, or the tuple of its outputs `names`."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, images: Tensor) -> Any:
        output = self.network(images)
        if len(self.names) > 1:
            return tuple(output[name] for name in self.names)
        return output[0] if isinstance(output, tuple) else output


class _Expectation(nn.Module):
    """The mean of a box side's distribution over distances, as a weighted sum in place of Ultralytics' convolution.

    The result is the same. OpenVINO may compute convolutions in bf16, which would round distances by half a pixel and
    more, but computes the operations after the last convolution in fp32.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.levels = convolution.in_channels
        self.distances: Tensor  # 0, 1, 2, ...; inexact in files that were quantised
        self.register_buffer("distances", convolution.weight.detach().float().reshape(-1, 1))

    def forward(self, logits: Tensor) -> Tensor:
        shares = logits.unflatten(1, (4, self.levels)).softmax(2)  # (B, 4, levels, A)
        return (shares * self.distances).sum(2)


def write(network: nn.Module, path: str | Path, card: cards.Card, *, half: bool = False) -> None:
    """Write a network to a file in the format of its suffix.

    Args:
        network: in evaluation mode, float32, on the CPU.
        path: `.xml` (OpenVINO; the weights are in a `.bin` beside it), `.onnx` or `.torchscript`.
        card: stored in the file's metadata.
        half: store the weights in half precision.

    Raises:
        ConversionError: a package is not installed, or the network cannot be written in this format.
    """
    path = Path(path)
    write_format = FORMATS[path.suffix]
    examples = _examples(card)
    with torch.no_grad(), _traceable(network):
        output = network(examples)
        names: tuple[str, ...] = ("output",)
        if isinstance(output, Mapping):
            names = tuple(key for key, value in output.items() if torch.is_tensor(value))
        try:
            write_format(_NamedOutputs(network, names).eval(), examples, path, card, names, half)
        except (RuntimeError, TypeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ConversionError(f"{type(network).__name__} cannot be written as {path.suffix}: {reason}.") from error


def _examples(card: cards.Card) -> Tensor:
    # A batch of two, and different sides where the network takes any, so that tracing fixes no dimension.
    height, width = card.shape
    if isinstance(card, cards.DetectorCard) and height < 0:
        height, width = 2 * card.stride, 3 * card.stride
    return torch.zeros(2, 3, height, width)


@contextlib.contextmanager
def _traceable(network: nn.Module) -> Iterator[None]:
    """Prepare a network for tracing: no warnings, anchors for any image size, exact boxes."""
    heads: list[Any] = [
        module for module in network.modules() if hasattr(module, "anchors") and hasattr(module, "dynamic")
    ]
    before = [(head.dynamic, head.dfl) for head in heads]
    try:
        for head in heads:
            head.dynamic = True
            if head.reg_max > 1:
                head.dfl = _Expectation(head.dfl.conv)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for head, (dynamic, dfl) in zip(heads, before, strict=True):
            head.dynamic, head.dfl = dynamic, dfl


def need(package: str, extra: str) -> ModuleType:
    """Import an optional package, or raise an error that names the extra to install."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise _missing(package, extra) from error


def _missing(package: str, extra: str) -> ConversionError:
    return ConversionError(f"This needs the package {package}, which is not installed. Run: pip install '{extra}'.")


def _openvino(
    network: nn.Module, examples: Tensor, path: Path, card: cards.Card, names: tuple[str, ...], half: bool
) -> None:
    try:
        from .openvino_import import ov
    except ImportError as error:
        raise _missing("openvino", "openvino") from error
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    traced = torch.jit.trace(network, examples, check_trace=False)
    decoder = TorchScriptPythonDecoder(traced, example_input=(examples,))  # must outlive the conversion
    front_end = FrontEndManager().load_by_framework("pytorch")
    model = front_end.convert(front_end.load(decoder))
    for output, name in zip(model.outputs, names, strict=True):
        output.get_tensor().set_names({name})
    model.reshape([-1, 3, *card.shape])
    model.set_rt_info(cards.to_text(card), cards.KEY)
    ov.save_model(model, path, compress_to_fp16=half)


def _onnx(
    network: nn.Module, examples: Tensor, path: Path, card: cards.Card, names: tuple[str, ...], half: bool
) -> None:
    onnx = need("onnx", "posetrack[onnx]")
    dynamic = {"images": {0: "batch"}, **{name: {0: "batch"} for name in names}}
    if min(card.shape) < 0:
        dynamic["images"] |= {2: "height", 3: "width"}
        dynamic[names[0]] |= {2: "places"}
    if half:
        network, examples = copy.deepcopy(network).half(), examples.half()
    # The tracing exporter: the one based on torch.export takes ten times as long and fails on some networks.
    torch.onnx.export(
        network,
        (examples,),
        path,
        dynamo=False,
        input_names=["images"],
        output_names=list(names),
        dynamic_axes=dynamic,
        opset_version=OPSET,
    )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {cards.KEY: cards.to_text(card)})
    onnx.save(model, path)


def _torchscript(
    network: nn.Module, examples: Tensor, path: Path, card: cards.Card, names: tuple[str, ...], half: bool
) -> None:
    if half:
        network, examples = copy.deepcopy(network).half(), examples.half()
    traced = torch.jit.trace(network, examples, check_trace=False)
    torch.jit.save(traced, path, _extra_files={cards.KEY: cards.to_text(card)})


FORMATS: dict[str, Callable[..., None]] = {".xml": _openvino, ".onnx": _onnx, ".torchscript": _torchscript}
