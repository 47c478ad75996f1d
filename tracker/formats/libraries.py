"""Libraries that only some formats need: the extra `formats`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...errors import PosetrackError


def library(name: str, what: str) -> Any:
    """Import a library of the extra `formats`.

    Args:
        name: of the module.
        what: needs it, for the error.

    Raises:
        PosetrackError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise PosetrackError(f"{what} needs {package}. Install it: pip install 'posetrack[formats]'.") from error
