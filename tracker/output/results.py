"""Check which results of earlier runs exist, belong to posetrack, and are complete.

A store has whole results only, so one that was listed there is complete. Whose it is is not asked: that would fetch it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..formats.files import present
from ..formats.registry import format_of
from ..partial import sidecar_path
from ..video.place import Remote
from ..video.write.mark import is_marked


def exists(output: str, path: Path | Remote) -> bool:
    """Return whether a file with the name of an output exists; `output` is the name of an option."""
    if isinstance(path, Remote):
        return path.listed
    return bool(present(path, format_of(path))) if output == "csv" else path.exists()


def is_ours(output: str, path: Path | Remote) -> bool:
    """Return whether an output exists and is posetrack's: videos and images have its mark, tables a sidecar."""
    return exists(output, path) and _state(output, path) is not None


def is_complete(output: str, path: Path | Remote) -> bool:
    """Return whether an output exists and is complete; other files than tables are renamed only when complete."""
    return exists(output, path) and _state(output, path) is True


def _state(output: str, path: Path | Remote) -> Any:
    """Return whether an output states that it is complete; None if it is not posetrack's."""
    if isinstance(path, Remote):
        return True
    if output == "save":
        return is_marked(path) or None
    if output == "report":
        return b"posetrack" in path.read_bytes() or None
    return _complete(sidecar_path(path))


def is_sidecar(path: Path) -> bool:
    """Return whether a file is a sidecar of posetrack."""
    return _complete(path) is not None


def _complete(sidecar: Path) -> Any:
    try:
        return json.loads(sidecar.read_text(encoding="utf-8"))["complete"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
