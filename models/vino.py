"""The one door to OpenVINO, which opens three times as fast as its own.

Importing `openvino` also imports its converter, and that the packages by which the converter reports its use to its
makers over the network. Nothing here uses it. OpenVINO goes on where it cannot be imported, so it is kept out while the
rest is imported; whoever else calls `openvino.convert_model` in this process still gets it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_CONVERTER = "openvino.tools.ovc"


def _import() -> Any:
    if "openvino" in sys.modules or _CONVERTER in sys.modules:
        return importlib.import_module("openvino")
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # makes an import fail
    try:
        module: Any = importlib.import_module("openvino")
    finally:
        del sys.modules[_CONVERTER]
    if not hasattr(module, "convert_model"):
        module.convert_model = _convert_model
    return module


def _convert_model(*args: Any, **options: Any) -> Any:
    return importlib.import_module(_CONVERTER).convert_model(*args, **options)


ov = _import()
