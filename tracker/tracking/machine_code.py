"""Machine code of compiled functions, brought into this process by LLVM's linker alone.

What numba makes of a function calls Python and three of numba's own C modules. Those are loaded without the package
around them: its compiler takes a fifth of a second to load, and finished code needs none of it.
"""

from __future__ import annotations

import builtins
import ctypes
import functools
import json
import math
import pickle
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib import machinery, util
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from ...models.mapped import release

UNPICKLE = "posetrack_unpickle"  # for `numba_unpickle`, which would load the whole package
_MODULES = ("_helperlib", "_dynfunc", "core.runtime._nrt_python")


class LinkError(Exception):
    """Machine code asks for something that is not in this process."""


@dataclass(frozen=True, slots=True)
class Code:
    """One function as Python calls it.

    Attributes:
        entry: its name.
        environment: the variable in it that stands for `constants`.
        constants: the types of the arrays that it returns.
        needs: what it calls and does not bring along.
        binary: an object file of this system.
    """

    entry: str
    environment: str
    constants: tuple[str, ...]
    needs: tuple[str, ...]
    binary: bytes

    def to_bytes(self) -> bytes:
        """Return the code as it is kept in a file: a line of JSON, then the object file."""
        words = asdict(self) | {"binary": sha256(self.binary).hexdigest()}
        return json.dumps(words).encode() + b"\n" + self.binary

    @classmethod
    def from_bytes(cls, kept: bytes) -> Code:
        """Read what `to_bytes` returned.

        Raises:
            ValueError: it is not whole.
        """
        head, _, binary = kept.partition(b"\n")
        words = json.loads(head)
        if words.pop("binary") != sha256(binary).hexdigest():
            raise ValueError("The machine code is not what was kept.")
        constants, needs = tuple(words["constants"]), tuple(words["needs"])
        return cls(words["entry"], words["environment"], constants, needs, binary)


def link(code: Code) -> Callable[..., Any]:
    """Return the function.

    It looks at no type: who calls it must hand over what it was compiled for.

    Raises:
        LinkError: something that it needs is not there.
    """
    helpers, engine = _helpers(), _engine()
    missing = [name for name in code.needs if llvm.address_of_symbol(name) is None]
    if missing:
        raise LinkError(f"{code.entry} needs {', '.join(missing)}.")
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.binary))
    engine.finalize_object()
    environment = helpers["_dynfunc"].Environment({})
    environment.consts.extend(np.dtype(name) for name in code.constants)
    _ENVIRONMENTS.append(environment)
    ctypes.c_void_p.from_address(engine.get_global_value_address(code.environment)).value = id(environment)
    entry = engine.get_function_address(code.entry)
    function: Callable[..., Any] = helpers["_dynfunc"].make_function(
        sys.modules[__name__], code.entry, "", entry, environment, engine
    )
    return function


def give_back() -> None:
    """Give back the linker's pages; the next function fetches them again, so do it after the last of several."""
    release(Path(llvmlite.__file__).parent)


_ENVIRONMENTS: list[Any] = []  # machine code holds their bare addresses


@functools.cache
def target() -> Any:
    """Return what LLVM knows of this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    found = llvm.Target.from_default_triple()
    return found.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if found.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


@functools.cache
def here() -> str:
    """Name everything that machine code must fit: the processor, the system, Python and numba."""
    features = llvm.get_host_cpu_features().flatten()
    made = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in _files().values()]
    return repr((platform.python_version(), llvm.get_process_triple(), llvm.get_host_cpu_name(), features, made))


@functools.cache
def _engine() -> Any:
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), target())


def _files() -> dict[str, Path]:
    """Return by name the files of numba's C modules.

    Raises:
        LinkError: this numba has others.
    """
    numba = util.find_spec("numba")
    assert numba is not None  # it is installed with posetrack
    folder, suffix = Path(str(numba.origin)).parent, machinery.EXTENSION_SUFFIXES[0]
    files = {f"numba.{name}": folder / f"{name.replace('.', '/')}{suffix}" for name in _MODULES}
    if missing := [str(file) for file in files.values() if not file.is_file()]:
        raise LinkError(f"This numba has no {', '.join(missing)}.")
    return files


@functools.cache
def _helpers() -> dict[str, Any]:
    """Load numba's C modules and tell LLVM where everything is, as numba itself would."""
    modules = {name.rpartition(".")[2]: sys.modules.get(name) or _load(name, file) for name, file in _files().items()}
    for name in ("_helperlib", "_dynfunc"):
        for word, address in modules[name].c_helpers.items():
            llvm.add_symbol(f"numba_{word}", address)
            if word in vars(math):
                llvm.add_symbol(word, address)  # Python's own; there may be others
    for word, address in modules["_nrt_python"].c_helpers.items():
        llvm.add_symbol(word if word.startswith("_") else f"NRT_{word}", address)
    llvm.add_symbol(UNPICKLE, ctypes.cast(_unpickle, ctypes.c_void_p).value)
    llvm.add_symbol("_Py_NoneStruct", id(None))
    for word, error in vars(builtins).items():
        if isinstance(error, type) and issubclass(error, BaseException):
            llvm.add_symbol(f"PyExc_{word}", id(error))
    return modules


def _load(name: str, file: Path) -> Any:
    loader = machinery.ExtensionFileLoader(name, str(file))
    module = util.module_from_spec(machinery.ModuleSpec(name, loader, origin=str(file)))
    loader.exec_module(module)
    return module


_UNPICKLED: dict[int, Any] = {}


@ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
def _unpickle(address: int, size: int, _: int) -> Any:
    """Return an object that stands in machine code: the class of arrays."""
    if address not in _UNPICKLED:
        _UNPICKLED[address] = pickle.loads(ctypes.string_at(address, size))  # noqa: S301 - a part of the code
    return _UNPICKLED[address]
