"""A private folder for the files of one job, which leaves nothing behind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from ..partial.claim import lock

_PREFIX = "posetrack-scratch-"
_LOCK = ".lock"
_YOUNG = 60.0  # seconds in which a folder may not have its lock yet


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder in the system's temporary folder (`TMPDIR`) and remove it at the end, also after an error.

    What processes left that were killed is removed before: a folder whose lock no process holds.
    """
    for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
        _remove_left(left)
    with (
        TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
        (Path(folder) / _LOCK).open("w") as file,
    ):
        lock(file.fileno())
        inside = Path(folder) / "files"
        inside.mkdir()
        yield inside


def _remove_left(folder: Path) -> None:
    with suppress(OSError):  # another process removes it, or owns it
        if time.time() - folder.stat().st_mtime > _YOUNG and _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+") as file:
            return lock(file.fileno())
    except FileNotFoundError:  # its process was killed while it made or removed the folder
        return True
