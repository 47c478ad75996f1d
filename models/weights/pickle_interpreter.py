"""Interpret a pickle as data: nothing that it names is imported, called or constructed.

A pickle is a program. Here its opcodes operate only on values: a class or function that it names stays a name, an
object becomes a `Record` of its attributes, and a call is replaced by one of a fixed set of functions. Any other call
is refused, regardless of what other libraries have registered as safe for `torch.load`.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_MARK = object()
_KEYS = (str, int, float, bool, bytes, type(None))  # dictionary entries with other keys are dropped
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": list}
_LITERALS = (
    *("INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
)


class UnsafeError(ValueError):
    """A pickle makes a call that is not allowed; the message is the name of the function."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function that a pickle names."""

    name: str


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """An object in a pickle, as data.

    Attributes:
        name: of its class, or of the function that would have created it.
        arguments: of that class or function.
        state: its attributes.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    state: dict[Any, Any] = field(default_factory=dict)


class Interpreter:
    """Interprets pickles.

    Args:
        calls: replacements of the allowed functions, by their full names.
        refer: returns the object of a persistent reference.
    """

    def __init__(self, calls: Mapping[str, Callable[..., Any]], refer: Callable[[Any], Any]) -> None:
        self._calls, self._refer = calls, refer

    def run(self, file: BinaryIO) -> Any:
        """Return the value of the pickle at the file's position, and leave the position at the pickle's end.

        Args:
            file: in memory, so that no stated length can allocate more than the file has.

        Raises:
            UnsafeError: the pickle makes a call that is not allowed.
            ValueError: the pickle is damaged. Damaged values may also raise type, index and arithmetic errors.
        """
        stack: list[Any] = []
        memo: dict[int, Any] = {}
        for opcode, argument, _ in pickletools.genops(file):
            self._step(opcode.name, argument, stack, memo)
        return stack.pop()

    def _step(self, name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
        match name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "MARK":
                stack.append(_MARK)
            case "POP":
                stack.pop()
            case "POP_MARK":
                _above(stack)
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "LIST" | "FROZENSET":
                stack.append(_above(stack))
            case "TUPLE":
                stack.append(tuple(_above(stack)))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "DICT":
                stack.append(_set({}, _above(stack)))
            case "APPEND":
                value = stack.pop()
                _extend(stack[-1], [value])
            case "APPENDS" | "ADDITEMS":
                values = _above(stack)
                _extend(stack[-1], values)
            case "SETITEM":
                pair = [stack.pop(-2), stack.pop()]
                _set(stack[-1], pair)
            case "SETITEMS":
                values = _above(stack)
                _set(stack[-1], values)
            case "GLOBAL":
                stack.append(_name(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                stack.append(_name(stack.pop(-2), stack.pop()))
            case "NEWOBJ" | "NEWOBJ_EX":
                if name == "NEWOBJ_EX":
                    stack.pop()  # the keyword arguments
                arguments = stack.pop()
                stack[-1] = Record(stack[-1].name, arguments)
            case "REDUCE":
                arguments = stack.pop()
                stack[-1] = self._call(stack[-1], arguments)
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Record):
                    stack[-1].state.update(state if isinstance(state, dict) else {"": state})
            case "PERSID" | "BINPERSID":
                stack.append(self._refer(argument if name == "PERSID" else stack.pop()))
            case _ if name in _VALUES:
                stack.append(_VALUES[name])
            case _ if name in _EMPTY:
                stack.append(_EMPTY[name]())
            case _ if name in _LITERALS:
                stack.append(argument)
            case _:
                raise UnsafeError(f"the opcode {name}")

    def _call(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        if function.name not in self._calls:
            raise UnsafeError(function.name)
        return self._calls[function.name](*arguments)


def _above(stack: list[Any]) -> list[Any]:
    """Pop the values above the last mark, and the mark."""
    values = []
    while (value := stack.pop()) is not _MARK:
        values.append(value)
    return values[::-1]


def _extend(target: Any, values: list[Any]) -> None:
    if isinstance(target, list):  # the record of a list subclass stays empty
        target.extend(values)


def _set(target: Any, values: list[Any]) -> Any:
    if isinstance(target, dict):
        target.update((k, v) for k, v in zip(values[::2], values[1::2], strict=True) if isinstance(k, _KEYS))
    return target


def _name(module: str, name: str) -> Name:
    return Name(f"{_PYTHON_2.get(module, module)}.{name}")
