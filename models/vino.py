"""The one door to OpenVINO, which opens three times as fast as its own.

Importing `openvino` also imports its converter, and that the packages by which the converter reports its use to its
makers over the network. Nothing here uses it. OpenVINO goes on where it cannot be imported, so it is kept out while the
rest is imported; whoever else calls `openvino.convert_model` in this process still gets it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any

_CONVERTER = "openvino.tools.ovc"


@contextlib.contextmanager
def kept_out(name: str) -> Iterator[None]:
    """Let the import of a module fail meanwhile; one that is there already stays."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # makes an import fail
    try:
        yield
    finally:
        del sys.modules[name]


def _import() -> Any:
    with kept_out(_CONVERTER):
        module: Any = importlib.import_module("openvino")
    if not hasattr(module, "convert_model"):
        module.convert_model = _convert_model
    return module


def _convert_model(*args: Any, **options: Any) -> Any:
    return importlib.import_module(_CONVERTER).convert_model(*args, **options)


ov = _import()
