"""The one import of OpenVINO, without its telemetry.

OpenVINO reports each import to its makers over the network, unless the environment says that it runs in CI. posetrack
never sends anything, so it says so while OpenVINO is imported.
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
