"""Claim the unfinished file of a result, so that no other run writes it, and keep what earlier runs left."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from ...errors import OutputError
from .names import partial_path, sidecar_path

try:
    import fcntl
except ImportError:  # Windows, where an open file can be neither renamed nor removed
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("posetrack")

KEPT = 5  # unfinished files of earlier runs under one name


def claim(path: Path) -> BinaryIO:
    """Create the partial file of a result and lock it against other runs until it is closed.

    The file is always a new one, never the target of a link. The partial file of an earlier run is kept.

    Args:
        path: final name of the result.

    Returns:
        The empty file, unbuffered.

    Raises:
        OutputError: another run is writing the file.
        OSError: the file cannot be created.
    """
    partial = partial_path(path)
    while True:
        try:
            file = partial.open("xb", buffering=0)
        except FileExistsError:
            _keep_earlier(path)
            continue
        with suppress(FileNotFoundError):
            if lock(file.fileno()) and os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                return file
        file.close()  # another run took the name before the lock


def _keep_earlier(path: Path) -> None:
    """Move an earlier run's partial file and its sidecar to a numbered name: `out.1.partial.csv`.

    An empty one is removed. `KEPT` are kept, the next one in the place of the oldest.

    Raises:
        OutputError: another run is writing the file.
    """
    partial = partial_path(path)
    names = [partial_path(path.with_name(f"{path.stem}.{number}{path.suffix}")) for number in range(1, KEPT + 1)]
    kept = next((name for name in names if not os.path.lexists(name)), None)
    last = "" if kept else f", in the place of the oldest of {KEPT}"
    kept = kept or min(names, key=lambda name: name.lstat().st_mtime)
    with ExitStack() as stack:
        descriptor = _opened(partial)
        if descriptor is not None:
            stack.callback(os.close, descriptor)
        free = descriptor is None or lock(descriptor)
        try:
            if free and not partial.lstat().st_size:
                partial.unlink()
                return
            if free:
                partial.replace(kept)
        except FileNotFoundError:
            return
        except PermissionError:
            free = False
        if not free:
            raise OutputError(
                f"Cannot write '{path}': another run is writing '{partial}'. Wait for its end, or give another name."
            )
    sidecar, beside = sidecar_path(path, complete=False), kept.with_name(f"{kept.name}.json")
    try:
        sidecar.replace(beside)
    except FileNotFoundError:
        beside.unlink(missing_ok=True)  # of the oldest
    log.warning("The unfinished '%s' of an earlier run is kept as '%s'%s.", partial, kept.name, last)


def _opened(partial: Path) -> int | None:
    """Open a file to ask for its lock; None where there are no locks, or for a link, which is no run's file."""
    if fcntl is None:
        return None
    try:
        return os.open(partial, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None


def lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, and return whether no other process holds the lock."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
