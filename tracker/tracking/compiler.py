"""The compiler, numba; only who finds no machine code loads it."""

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.extending import register_jitable, typeof_impl

from .compiled import OPTIONS, PARTS, Kernel
from .machine_code import UNPICKLE, Code, target

_njit: Any = numba.njit
_jitable: Any = register_jitable


@functools.cache
def dispatcher(kernel: Kernel) -> Any:
    """Return numba's own form of a kernel, which compiles itself for what it is called with."""
    while PARTS:
        _jitable(**OPTIONS, no_cpython_wrapper=True)(PARTS.pop())
    return _njit(**OPTIONS, **kernel.options)(kernel.function)


@typeof_impl.register(Kernel)
def _type(kernel: Kernel, context: Any) -> Any:
    """Let kernels call each other."""
    return typeof_impl(dispatcher(kernel), context)


def compile_for(kernel: Kernel, arguments: tuple[Any, ...]) -> Code:
    """Return the machine code of a kernel for arguments like these."""
    signature = tuple(map(numba.typeof, arguments))
    numbas = dispatcher(kernel)
    numbas.compile(signature)
    made = numbas.overloads[signature]
    module = llvm.parse_assembly(numbas.inspect_llvm(signature).replace("@numba_unpickle(", f"@{UNPICKLE}("))
    entry, environment = made.fndesc.llvm_cpython_wrapper_name, made.fndesc.env_name
    names = [function.name for function in module.functions if function.is_declaration]
    for own in (*module.functions, *module.global_variables):
        if not own.is_declaration and own.name not in (entry, environment):
            own.linkage = (
                "internal"  # other code that is linked here may bear the same names, numbered anew in each start
            )
    return Code(
        entry=entry,
        environment=environment,
        constants=tuple(dtype.str for dtype in made.environment.consts),
        needs=tuple(name for name in names if not name.startswith("llvm.")),
        binary=target().emit_object(module),
    )
