"""The only import of OpenVINO, without its telemetry.

OpenVINO reports each import to its makers over the internet, unless the variable CI is set. posetrack sends no
telemetry, so CI is set during the import.
"""

from __future__ import annotations

import importlib
import os
from typing import Any


def _import() -> Any:
    before = os.environ.get("CI")
    os.environ["CI"] = "true"
    try:
        return importlib.import_module("openvino")
    finally:
        if before is None:
            del os.environ["CI"]
        else:
            os.environ["CI"] = before


ov = _import()
