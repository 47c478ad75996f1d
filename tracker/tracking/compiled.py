"""Compiled functions of arrays: plain loops that numba turns into machine code, once for each machine."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.extending import register_jitable

from ...models.cache import cache_folder

Function = TypeVar("Function", bound=Callable)
_njit: Any = numba.njit
_jitable: Any = register_jitable
_settings: Any = numba.config


def _folder() -> str:
    """Return where the machine code is kept: a folder for each state of the sources beside this file.

    numba looks for changes in a function's own file only, but the code of the functions that it calls is compiled in.
    """
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    given = _settings.CACHE_DIR
    return str((Path(given) if given else cache_folder() / "compiled") / sha256(sources).hexdigest()[:16])


_FOLDER = _folder()


def kernel(function: Function, **options: Any) -> Function:
    """Compile a function when it is first called, or load it where that was done before.

    Loops over scalars compile soonest and run fastest. A division by zero is infinite, as in NumPy. From Python, plain
    tuples of arrays and arrays of records are handed over at once; a named tuple takes ten times as long. Further
    options are numba's.
    """
    options |= {"error_model": "numpy", "no_cfunc_wrapper": True}
    before, _settings.CACHE_DIR = _settings.CACHE_DIR, _FOLDER
    try:
        return _njit(cache=True, **options)(function)
    except RuntimeError:  # no folder can be written: compile for this process only
        return _njit(**options)(function)
    finally:
        _settings.CACHE_DIR = before


def part(function: Function) -> Function:
    """Make a function a part of the compiled ones that call it; called from Python it stays what it is, and slow."""
    return _jitable(error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True)(function)
