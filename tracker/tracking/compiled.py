"""The only module that imports numba: compiles plain loops over arrays on their first call."""

from __future__ import annotations

import functools
import logging
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.extending import register_jitable

from ...models.cache import cache_folder

log = logging.getLogger("posetrack")

Function = TypeVar("Function", bound=Callable)

_config: Any = numba.config
_ROOM = 2**21  # bytes; all of the machine code takes 1.3 MB
OPTIONS: dict[str, Any] = {"error_model": "numpy"}  # a division by zero is infinite


def kernel(function: Function, *, nogil: bool = False) -> Function:
    """Compile a function for each combination of argument types and cache the machine code on disk.

    Loops over scalars compile and run fastest. `nogil` lets other threads run meanwhile; use it for long kernels only,
    because reacquiring the interpreter lock can take longer than a short kernel.
    """
    folder, before = _folder(Path(function.__code__.co_filename).parent), _config.CACHE_DIR
    if folder is not None:
        _config.CACHE_DIR = str(folder)
    try:
        return cast("Function", numba.njit(cache=folder is not None, nogil=nogil, **OPTIONS)(function))
    finally:
        _config.CACHE_DIR = before


def subroutine(function: Function) -> Function:
    """Make a function callable from kernels; called from Python it runs as plain Python."""
    return cast("Function", register_jitable(**OPTIONS)(function))


def announce() -> None:
    """Log that the next calls compile the tracker, unless its machine code is cached."""
    folder = _folder(Path(__file__).parent)
    if folder is None:
        log.info("Compiling the tracker takes a few seconds at every start: %s cannot be written.", _base())
    elif not any(folder.rglob("*.nbi")):
        log.info("Compiling the tracker for this machine, once: a few seconds ...")


def _base() -> Path:
    return Path(_config.CACHE_DIR) if _config.CACHE_DIR else cache_folder() / "compiled"


@functools.cache
def _folder(sources: Path) -> Path | None:
    """Return the cache folder for the current content of a folder's sources; None if it has no room for more.

    numba checks only the kernel's own file for changes, but code from other files is compiled in. So the folder's name
    is a hash of all of them.
    """
    contents = b"".join(
        path.read_bytes() for path in sorted({*sources.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    )
    folder = _base() / sha256(contents).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:  # numba fails where the disk is full
            file.write(bytes(_ROOM))
            file.flush()
            return folder
    except OSError:
        return None
