"""Libraries that only reports and figures need: the extra `report`."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import UsageError


def require(module: str, what: str) -> None:
    """Make sure that a library is installed, without loading it.

    Raises:
        UsageError: it is not.
    """
    if find_spec(module) is None:
        raise UsageError(f"{what} needs {module.capitalize()}. Install it: pip install 'posetrack[report]'.")
