"""Compiled functions of arrays: plain loops that numba turns into machine code, once for each machine."""

from __future__ import annotations

import functools
import gc
import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from ...models.cache import cache_folder
from ...models.mapped import release

_collects = gc.isenabled()
gc.disable()  # 57,000 objects that all stay: to look through them for others takes a quarter of the time
try:
    import llvmlite
    import numba
    from numba.core.caching import FunctionCache
    from numba.core.runtime.nrt import rtsys
    from numba.extending import register_jitable
finally:
    if _collects:
        gc.enable()

log = logging.getLogger("posetrack")

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


class _Cache(FunctionCache):
    """numba's own, but for what it does before it looks: it takes in all rules of its compiler, and SciPy's for BLAS.

    Finished machine code needs none of that, which is two thirds of a start. Where it is not found, the compiler takes
    them in by itself.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the machine code of a function, if it is kept."""
        rtsys.initialize(target_context)  # what arrays are allocated by
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
        release(Path(llvmlite.__file__).parent)
        if found is None:
            _tell("Compiling the tracker for this machine, once: up to 20 seconds ...")
        return found


@functools.cache
def _tell(what: str) -> None:
    log.info(what)


def kernel(function: Function, **options: Any) -> Function:
    """Compile a function when it is first called, or load it where that was done before.

    Loops over scalars compile soonest and run fastest. A division by zero is infinite, as in NumPy. From Python, plain
    tuples of arrays and arrays of records are handed over at once; a named tuple takes ten times as long. Further
    options are numba's.
    """
    options |= {"error_model": "numpy", "no_cfunc_wrapper": True}
    before, _settings.CACHE_DIR = _settings.CACHE_DIR, _FOLDER
    compiled = _njit(**options)(function)
    try:
        compiled._cache = _Cache(function)
    except RuntimeError:  # no folder can be written: compile for this process only
        _tell(f"Compiling the tracker takes up to 20 seconds at every start: {_FOLDER} cannot be written.")
    finally:
        _settings.CACHE_DIR = before
    return compiled


def part(function: Function) -> Function:
    """Make a function a part of the compiled ones that call it; called from Python it stays what it is, and slow."""
    return _jitable(error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True)(function)
