"""Locate the weights of a detector: a path, the cache, or a download of a file that Ultralytics publishes."""

from __future__ import annotations

import difflib
import logging
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ...errors import ModelError
from ..cache import is_offline
from ..networks.ultralytics_import import download_detector, published_detectors, ultralytics_folder
from .published_detectors import DETECTORS

log = logging.getLogger("posetrack")

TIMEOUT = 10.0  # seconds for github.com to respond


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
        raise ModelError(f"Cannot find the detector '{name}': there is no such file, nor is it published. {hint}")
    searched = f"it is neither in the current folder nor in {folder}"
    if is_offline(offline):
        raise ModelError(
            f"Cannot find the detector '{name}': {searched}, and downloads are off. Put the file into one of them."
        )
    if not _true_within(TIMEOUT, _is_online):
        raise ModelError(
            f"Cannot download the detector '{name}': {searched}, and github.com does not respond. "
            "Connect to the internet, or put the file into one of them."
        )
    return _download(path.name, folder)


def _is_online() -> bool:
    try:
        with urllib.request.urlopen("https://github.com/ultralytics/assets", timeout=TIMEOUT / 2):
            return True
    except OSError:  # the base class of urllib's errors
        return False


def _true_within(seconds: float, check: Callable[[], bool]) -> bool:
    """Run a check in a thread, since resolving a host name has no timeout of its own; False if it takes longer."""
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(check()), daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(results and results[0])


def _download(name: str, folder: Path) -> Path:
    known = DETECTORS.get(name)
    size = f"about {2 * known.parameters:.0f} MB, " if known else ""  # Ultralytics stores two bytes a parameter
    log.info("Downloading %s from github.com/ultralytics/assets: %slicence AGPL-3.0 ...", name, size)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        download_detector(name, folder)
    except (OSError, MemoryError) as error:  # Ultralytics raises MemoryError if the disk is full
        reason = str(error).splitlines()[0].replace("❌", "").strip()
        raise ModelError(f"Cannot download the detector '{name}' into {folder}: {reason}. Try again later.") from error
    if not (folder / name).is_file():
        raise ModelError(f"Cannot download the detector '{name}' into {folder}. Try again later.")
    return folder / name
