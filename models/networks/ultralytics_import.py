"""The only import of Ultralytics, without its side effects.

Importing the package would create a settings file in the user's home, check the internet connection, log, install
missing packages at run time, set OpenCV's threads, environment variables and print options, and replace `torch.save`.
All of this is prevented or undone here. Its settings go to our cache folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from ..cache import cache_folder


def ultralytics_folder() -> Path:
    """Return the folder for Ultralytics' settings and published weights."""
    return cache_folder() / "ultralytics"


@functools.cache
def load_tasks() -> Any:
    """Import and return `ultralytics.nn.tasks`, which defines the networks."""
    logging.getLogger("ultralytics").addFilter(lambda record: False)  # its own setup resets the level, not the filters
    folder = ultralytics_folder()
    with _restored():
        os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
        os.environ.setdefault("YOLO_CONFIG_DIR", str(folder))
        with contextlib.suppress(OSError):  # if the cache is read-only, Ultralytics takes a temporary folder
            folder.mkdir(parents=True, exist_ok=True)
        import ultralytics.nn.tasks as tasks
        from ultralytics.utils import SETTINGS

    dict.update(SETTINGS, sync=False, weights_dir=str(folder))  # its own `update` would write the settings file
    return tasks


def default_arguments() -> Any:
    """Return Ultralytics' default training arguments, which its losses read from the model."""
    load_tasks()
    from ultralytics.cfg import get_cfg

    return get_cfg()


def published_detectors() -> list[str]:
    """Return the file names of the YOLO weights that Ultralytics publishes, sorted."""
    load_tasks()
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

    return sorted(name for name in GITHUB_ASSETS_NAMES if name.startswith("yolo") and name.endswith(".pt"))


def published_address(name: str) -> str:
    """Return the address of published weights, in the release that the installed Ultralytics downloads from."""
    load_tasks()
    from ultralytics.utils.downloads import GITHUB_ASSETS_REPO, attempt_download_asset

    release = inspect.signature(attempt_download_asset).parameters["release"].default
    return f"https://github.com/{GITHUB_ASSETS_REPO}/releases/download/{release}/{name}"


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Restore, on exit, the global state that importing Ultralytics changes."""
    environment, threads, torch_save, image_open = dict(os.environ), cv2.getNumThreads(), torch.save, Image.open
    print_options = dataclasses.asdict(torch._tensor_str.PRINT_OPTS)
    try:
        with np.printoptions(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        cv2.setNumThreads(threads)
        torch.save, Image.open = torch_save, image_open
        torch.set_printoptions(**print_options)
