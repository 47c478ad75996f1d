"""Locate the weights of a detector: a path, the cache, or a download of a file that Ultralytics publishes."""

from __future__ import annotations

import difflib
from pathlib import Path

from ...errors import ModelError
from ..cache import is_offline
from ..networks.ultralytics_import import published_address, published_detectors, ultralytics_folder
from .fetch import fetch


def locate_detector(name: str | Path, *, offline: bool = False) -> Path:
    """Return the file of a detector's weights, downloading published weights into the cache if needed.

    Args:
        name: a path, or a bare name such as `yolo11n.pt`, searched in the current folder, the cache, then online.
        offline: never download.

    Raises:
        ModelError: the file does not exist and cannot be downloaded.
    """
    path, folder = Path(name), ultralytics_folder()
    for candidate in (path, folder / path):
        if candidate.is_file():
            return candidate
    if path.name != str(name):
        raise ModelError(f"Cannot find the detector '{name}': there is no such file. Check the path.")

    known = published_detectors()
    if path.name not in known:
        near = difflib.get_close_matches(path.name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else "Give a file, or a published name such as yolo11n.pt."
        raise ModelError(f"Cannot find the detector '{name}': there is no such file or published name. {hint}")
    searched = f"it is neither in the current folder nor in {folder}"
    if is_offline(offline):
        raise ModelError(
            f"Cannot find the detector '{name}': {searched}, and downloads are off. Put the file into one of them."
        )
    fetch(published_address(path.name), folder / path.name, licence="AGPL-3.0")
    return folder / path.name
