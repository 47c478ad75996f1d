"""The cache folder for downloads, the offline switch, and file digests."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Return the folder for downloads and compiled files: $POSETRACK_CACHE, or the user's cache folder."""
    folder = os.environ.get("POSETRACK_CACHE")
    if not folder:
        return user_cache_path("posetrack", appauthor=False)
    return Path(os.path.expanduser(folder))  # noqa: PTH111 (of an unknown user, it raises nothing)


def is_offline(offline: bool = False) -> bool:
    """Return whether downloads are disabled by the caller, $POSETRACK_OFFLINE or $HF_HUB_OFFLINE."""
    switches = (os.environ.get(name, "") for name in ("POSETRACK_OFFLINE", "HF_HUB_OFFLINE"))
    return offline or any(value.strip().lower() in {"1", "true", "yes", "on"} for value in switches)


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
