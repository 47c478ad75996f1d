"""Whether a result is there and whole, told by what only a run that came to its end leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..formats.files import present
from ..formats.registry import format_of
from ..partial import sidecar_path
from ..video.mark import is_marked


def there(output: str, path: Path) -> bool:
    """Return whether something has the name of an output (a field of `RunConfig`)."""
    return bool(present(path, format_of(path))) if output == "csv" else path.exists()


def known(output: str, path: Path) -> bool:
    """Return whether an output is there and posetrack's: a video or picture bears its mark, a table has its sidecar."""
    return there(output, path) and _complete(output, path) is not None


def finished(output: str, path: Path) -> bool:
    """Return whether an output is there and complete; videos, pictures and pages get their names when they are."""
    return there(output, path) and _complete(output, path) is True


def _complete(output: str, path: Path) -> Any:
    """Return whether an output says that it is complete; None where it is another program's."""
    if output == "save":
        return is_marked(path) or None
    if output == "report":
        return b"posetrack" in path.read_bytes() or None
    try:
        return json.loads(sidecar_path(path).read_text(encoding="utf-8"))["complete"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
