"""Build a network of Ultralytics' from the record of it in a weights file.

Published files hold a network as an object, layer in layer. Each record becomes a layer of ours only if its class is a
layer of PyTorch's or Ultralytics', and takes over nothing but tensors, numbers, texts and layers: no constructor runs
and no description in the file is parsed. Of functions one is known, that a layer with its norm folded computes with
`forward_fuse`. What is built is then run once without memory, so that no number in it can ask for too much.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .inert import Record
from .torch_file import check_sharing

_TORCH = "activation batchnorm container conv dropout linear normalization padding pooling upsampling"
_OTHERS = "activation block conv head transformer utils"
_MODULES = (
    *(f"torch.nn.modules.{name}" for name in _TORCH.split()),
    *(f"ultralytics.nn.modules.{name}" for name in _OTHERS.split()),
    "ultralytics.nn.modules",  # where all of them were at first
)
_RENAMED = {
    "ultralytics.nn.modules.block.Silence": "torch.nn.modules.linear.Identity",
    "ultralytics.nn.tasks.YOLOv10DetectionModel": "ultralytics.nn.tasks.DetectionModel",
}
_DEEPEST = 32  # layers within layers; of published networks at most 12
_TRIAL = 256  # pixels of the side of the picture of the trial run
_CALL = 2**16  # what each call of a layer counts beside its numbers, so that repeats are bounded, too
_MOST = 2**29  # numbers that all layers together may answer to it; the largest published networks answer 2**27


def build(record: Record, networks: Mapping[str, type[nn.Module]]) -> nn.Module:
    """Return the network, in evaluation mode.

    Args:
        record: of the network in the file.
        networks: the classes that it may be of, by their full name.

    Raises:
        ValueError: it is or holds something else, or needs far more memory than published networks.
    """
    _try_out(_Builder(networks, device="meta").layer(record))
    network = _Builder(networks, device="cpu").layer(record)
    check_sharing(network.state_dict().values())
    return network.eval()


def renamed(name: str) -> str:
    """Return today's name of a class of Ultralytics'."""
    return _RENAMED.get(name, name)


class _Builder:
    def __init__(self, networks: Mapping[str, type[nn.Module]], *, device: str) -> None:
        self._networks, self._device = networks, device
        self._layers: dict[int, nn.Module] = {}  # by the record's identity: one that stands in two places stays one
        self._open = 0

    def layer(self, record: Any) -> nn.Module:
        """Return the layer that a record is of."""
        if id(record) in self._layers:
            known = self._layers[id(record)]
            if any(True for _ in known.children()) or any(True for _ in known.parameters()):
                raise ValueError("a layer stands in it twice")  # activations alone are shared
            return known
        if not isinstance(record, Record):
            raise ValueError(f"a layer in it is a {type(record).__name__}")
        if self._open == _DEEPEST:
            raise ValueError("its layers are nested too deep")
        cls = self._class(record.name)
        layer: Any = object.__new__(cls)
        nn.Module.__init__(layer)
        self._open += 1
        layer.__setstate__(self._state(record.state, cls))
        self._open -= 1
        match record.state.get("forward"):
            case Record("builtins.getattr", (owner, "forward_fuse")) if owner is record:
                layer.forward = layer.forward_fuse
        self._layers[id(record)] = layer
        return layer

    def _class(self, name: str) -> type[nn.Module]:
        name = renamed(name)
        if name in self._networks and not self._open:
            return self._networks[name]
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute, None) if module in _MODULES else None
        if not (isinstance(found, type) and issubclass(found, nn.Module) and found.__module__ in _MODULES):
            raise ValueError(f"it holds a {name}, which is no layer of PyTorch's or Ultralytics'")
        return found

    def _state(self, state: Mapping[Any, Any], cls: type) -> dict[str, Any]:
        """Return the attributes of a layer; what else stands among them stays away."""
        kept: dict[str, Any] = {
            "_parameters": self._each(state, "_parameters", self._parameter),
            "_buffers": self._each(state, "_buffers", self._tensor),
            "_modules": self._each(state, "_modules", self.layer),
            "_non_persistent_buffers_set": {
                name for name in state.get("_non_persistent_buffers_set", ()) if isinstance(name, str)
            },
        }
        for name, value in state.items():
            shadows = callable(getattr(cls, name, None)) and name != "type"  # there it is a text of Ultralytics'
            if name in kept or "hook" in name or shadows:
                continue
            if isinstance(value, Tensor):  # strides become numbers, which a tensor without memory cannot
                kept[name] = value if name == "stride" else self._tensor(value)
            elif _is_plain(value):
                kept[name] = value
        return kept

    @staticmethod
    def _each(state: Mapping[Any, Any], kind: str, make: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: None if value is None else make(value) for name, value in state.get(kind, {}).items()}

    def _parameter(self, value: Any) -> nn.Parameter:
        return nn.Parameter(self._tensor(value), requires_grad=False)

    def _tensor(self, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            raise ValueError(f"where a tensor is due stands a {type(value).__name__}")
        return value.to(self._device)


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is of numbers, texts, and short lists of them."""
    if value is None or isinstance(value, bool | int | float | str):
        return True
    return (
        depth < 3
        and isinstance(value, list | tuple)
        and len(value) < 100
        and all(_is_plain(v, depth + 1) for v in value)
    )


class _TooLargeError(Exception):
    pass


def _try_out(network: nn.Module) -> None:
    left = _MOST

    def count(layer: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal left
        values = output if isinstance(output, list | tuple) else [output]
        left -= _CALL + sum(value.numel() for value in values if isinstance(value, Tensor))
        if left < 0:
            raise _TooLargeError

    for module in network.modules():
        module.register_forward_hook(count)
    try:
        with torch.no_grad():
            network.eval()(torch.empty(1, 3, _TRIAL, _TRIAL, device="meta"))
    except _TooLargeError:
        raise ValueError("its layers answer with far more numbers than those of published networks") from None
    except Exception as error:  # what layers raise that do not fit to each other cannot be listed
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"its layers do not fit to each other ({reason})") from error
