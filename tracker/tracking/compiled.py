"""Compiled functions of arrays: plain loops that become machine code, once for each machine."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar, cast

import numpy as np

from ...models.cache import cache_folder

log = logging.getLogger("posetrack")

Function = TypeVar("Function", bound=Callable)

OPTIONS = {"error_model": "numpy", "no_cfunc_wrapper": True}
PARTS: list[Callable] = []  # of which the compiler was not told yet
_LOCK = RLock()
_AS_NUMBA = 0x503  # flags of an array by which numba tells kinds: order, alignment, whether it can be written


def kernel(function: Function, **options: Any) -> Function:
    """Compile a function when it is first called, or load it where that was done before.

    Loops over scalars compile soonest and run fastest. A division by zero is infinite, as in NumPy. From Python, plain
    tuples and named ones of arrays and arrays of records are handed over; what is returned are plain tuples: a class
    would have to be looked up in every call. Further options are numba's.
    """
    return cast("Function", functools.update_wrapper(Kernel(function, options), function))


def part(function: Function) -> Function:
    """Make a function a part of the compiled ones that call it; called from Python it stays what it is, and slow."""
    PARTS.append(function)
    return function


class Kernel:
    """See `kernel`.

    Attributes:
        function: what is compiled.
        options: numba's.
    """

    def __init__(self, function: Callable, options: dict[str, Any]) -> None:
        self.function, self.options = function, options
        self._ready: list[tuple[list[Any], Callable[..., Any]]] = []  # by the kinds of the arguments

    def __call__(self, *arguments: Any) -> Any:
        """Call the machine code for arguments of these kinds."""
        kinds: list[Any] = []
        _tell_kinds(arguments, kinds)
        for known, ready in self._ready:
            if known == kinds:
                return ready(*arguments)
        with _LOCK:
            if not any(known == kinds for known, _ in self._ready):  # another thread may have been at it
                self._ready.append((kinds, self._prepare(kinds, arguments)))
        return self(*arguments)

    def _prepare(self, kinds: list[Any], arguments: tuple[Any, ...]) -> Callable[..., Any]:
        from .machine_code import LinkError

        try:
            return self._linked(kinds, arguments)
        except LinkError:
            from .compiler import dispatcher

            return cast("Callable[..., Any]", dispatcher(self))  # it knows what else it wants

    def _linked(self, kinds: list[Any], arguments: tuple[Any, ...]) -> Callable[..., Any]:
        from .machine_code import Code, here, link

        words = (self.function.__module__, self.function.__qualname__, self.options, kinds, here())
        name = f"{self.function.__name__}-{sha256(repr(words).encode()).hexdigest()[:16]}"
        file = _folder(Path(self.function.__code__.co_filename)) / name
        code = None
        with contextlib.suppress(OSError, ValueError):  # it is not there, or not whole
            code = Code.from_bytes(file.read_bytes())
        if code is None:
            from .compiler import compile_for

            _tell("Compiling the tracker for this machine, once: up to 20 seconds ...")
            code = compile_for(self, arguments)
            _keep(code.to_bytes(), file)
        return link(code)


def _tell_kinds(values: tuple[Any, ...], kinds: list[Any]) -> None:
    """Append what tells values apart that take machine code of their own; the code itself looks at no type."""
    for value in values:
        if isinstance(value, np.ndarray):
            kinds += value.dtype, value.ndim, value.flags.carray or value.flags.num & _AS_NUMBA
        elif type(value) is tuple:
            kinds += tuple, len(value)
            _tell_kinds(value, kinds)
        else:
            kinds.append(_kinds_of(value) if isinstance(value, tuple) else type(value))


def _kinds_of(named: tuple[Any, ...]) -> list[Any]:
    """Return the kinds in a named tuple; the same one again, whose arrays change in place, is not looked at again."""
    last, kinds = _LAST.get(type(named), ((), []))
    if named is not last:
        kinds = [type(named)]
        _tell_kinds(named, kinds)
        _LAST[type(named)] = named, kinds
    return kinds


_LAST: dict[type, tuple[tuple[Any, ...], list[Any]]] = {}  # of each class


@functools.cache
def _folder(source: Path) -> Path:
    """Return where machine code is kept: a folder for each state of the sources, a function's own and those here.

    The code of the functions that it calls is compiled in, so that a change in any of them counts.
    """
    files = sorted({source, *Path(__file__).parent.glob("*.py")})
    sources = b"".join(path.read_bytes() for path in files)
    return cache_folder() / "compiled" / sha256(sources).hexdigest()[:16]


def _keep(code: bytes, file: Path) -> None:
    """Write a file under another name first: a second run may be at it, too."""
    fresh = file.with_name(f"{os.getpid()}-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(code)
        fresh.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        _tell(
            f"Compiling the tracker takes up to 20 seconds at every start: {file.parent} cannot be written ({error})."
        )


@functools.cache
def _tell(what: str) -> None:
    log.info(what)
