"""Build an Ultralytics network from its record in a weights file.

Published files hold a network as nested layer objects. A record becomes a layer only if its class is a PyTorch or
Ultralytics layer, and only its tensors, numbers, strings and layers are used: no constructor is run and no model
description in the file is parsed. The one supported function is `forward_fuse`, of a layer with a folded batch norm.
The network is first run on the meta device, without memory, to check that its sizes are reasonable.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .pickle_interpreter import Record
from .torch_file import check_sharing

_TORCH = "activation batchnorm container conv dropout linear normalization padding pooling upsampling"
_OTHERS = "activation block conv head transformer utils"
_MODULES = (
    *(f"torch.nn.modules.{name}" for name in _TORCH.split()),
    *(f"ultralytics.nn.modules.{name}" for name in _OTHERS.split()),
    "ultralytics.nn.modules",  # their module in early versions
)
_RENAMED = {
    "ultralytics.nn.modules.block.Silence": "torch.nn.modules.linear.Identity",
    "ultralytics.nn.tasks.YOLOv10DetectionModel": "ultralytics.nn.tasks.DetectionModel",
}
_MAX_DEPTH = 32  # maximum nesting of layers; published networks have at most 12
_TRIAL = 256  # side of the image of the trial run, pixels
_CALL = 2**16  # added to the count for each call of a layer, which also bounds repeated calls
_MAX_VALUES = 2**29  # maximum output values of all layers in the trial run; the largest published networks have 2**27


def build(record: Record, networks: Mapping[str, type[nn.Module]]) -> nn.Module:
    """Return the network, in evaluation mode.

    Args:
        record: of the network in the file.
        networks: the allowed classes of the network, by full name.

    Raises:
        ValueError: the record is or contains something else, or needs far more memory than published networks.
    """
    _try_out(_Builder(networks, device="meta").layer(record))
    network = _Builder(networks, device="cpu").layer(record)
    check_sharing(network.state_dict().values())
    return network.eval()


def renamed(name: str) -> str:
    """Return the current name of an Ultralytics class."""
    return _RENAMED.get(name, name)


class _Builder:
    def __init__(self, networks: Mapping[str, type[nn.Module]], *, device: str) -> None:
        self._networks, self._device = networks, device
        self._layers: dict[int, nn.Module] = {}  # by id(record): a layer used twice stays one object
        self._open = 0

    def layer(self, record: Any) -> nn.Module:
        """Return the layer of a record."""
        if id(record) in self._layers:
            known = self._layers[id(record)]
            if any(True for _ in known.children()) or any(True for _ in known.parameters()):
                raise ValueError("it contains a layer twice")  # only activations may be shared
            return known
        if not isinstance(record, Record):
            raise ValueError(f"a layer in it is a {type(record).__name__}")
        if self._open == _MAX_DEPTH:
            raise ValueError("its layers are nested too deeply")
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
        cls = getattr(importlib.import_module(module), attribute, None) if module in _MODULES else None
        if not (isinstance(cls, type) and issubclass(cls, nn.Module) and cls.__module__ in _MODULES):
            raise ValueError(f"it holds a {name}, which is not a PyTorch or Ultralytics layer")
        return cls

    def _state(self, state: Mapping[Any, Any], cls: type) -> dict[str, Any]:
        """Return the attributes of a layer that are tensors, layers or plain values."""
        kept: dict[str, Any] = {
            "_parameters": self._each(state, "_parameters", self._parameter),
            "_buffers": self._each(state, "_buffers", self._tensor),
            "_modules": self._each(state, "_modules", self.layer),
            "_non_persistent_buffers_set": {
                name for name in state.get("_non_persistent_buffers_set", ()) if isinstance(name, str)
            },
        }
        for name, value in state.items():
            shadows = callable(getattr(cls, name, None)) and name != "type"  # `type` is a string that Ultralytics sets
            if name in kept or "hook" in name or shadows:
                continue
            if isinstance(value, Tensor):  # strides are converted to numbers, which a meta tensor does not allow
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
            raise ValueError(f"it holds a {type(value).__name__} in place of a tensor")
        return value.to(self._device)


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Return whether a value is a number, a string, or a short list of these."""
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
    left = _MAX_VALUES

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
        raise ValueError("its layers output far more values than those of published networks") from None
    except Exception as error:  # mismatched layers raise errors of many classes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"its layers do not fit together ({reason})") from error
