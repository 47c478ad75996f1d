"""Read and write pickles of plain values and numeric arrays, without running code."""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

_KINDS = "biuf"  # booleans and numbers
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")


class _Dtype:
    """Placeholder of a dtype until an array needs it; a real dtype could be set to hold objects."""

    def __init__(self, name: str, *_: Any) -> None:
        self._name = name
        self._order: Any = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._order = {"|": "="}.get(state[1], state[1])

    @property
    def real(self) -> np.dtype:
        return _numbers(np.dtype(self._name).newbyteorder(self._order))


class _Array(np.ndarray):
    """Array that is created first and filled later, as in pickle protocols before 5."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *version, shape, dtype, fortran, data = state
        super().__setstate__((*version, shape, dtype.real, fortran, data))  # type: ignore[misc]


def _numbers(dtype: np.dtype) -> np.dtype:
    if dtype.kind not in _KINDS:
        raise pickle.UnpicklingError(f"it asks for an array of {dtype}, which is not numeric")
    return dtype


def _array(shape: tuple[int, ...], dtype: str, data: bytearray) -> np.ndarray:
    return np.frombuffer(data, _numbers(np.dtype(dtype))).reshape(shape)


def _bytes(data: Any) -> bytes:
    if not isinstance(data, bytes | bytearray):  # an integer would allocate as many zeros
        raise pickle.UnpicklingError("it asks for an empty array of a custom size")
    return bytes(data)


def _frombuffer(data: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(data, dtype.real).reshape(shape, order=order)  # type: ignore[call-overload]


# The names that a pickle of numpy 1 or 2 may use, and their safe replacements, which create numeric arrays only.
_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _array,
    ("numpy", "dtype"): _Dtype,
    ("builtins", "bytearray"): lambda data=b"", *_: bytearray(_bytes(data)),
    ("_codecs", "encode"): lambda text, _: text.encode("latin1"),  # bytes, in the old protocols
} | {
    (f"numpy.{core}.{module}", name): stand_in
    for core in ("core", "_core")
    for module, name, stand_in in (
        ("multiarray", "_reconstruct", lambda *_: np.ndarray.__new__(_Array, 0)),
        ("multiarray", "scalar", lambda dtype, data: np.frombuffer(data, dtype.real)[0]),
        ("numeric", "_frombuffer", _frombuffer),
    )
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is neither a plain value nor an array")
        return _ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError("it refers to external objects")


def load_plain(data: bytes) -> Any:
    """Read a pickle of plain values and numeric arrays.

    Raises:
        pickle.UnpicklingError: it contains anything else, or is damaged.
    """
    try:
        for code, place, _ in pickletools.genops(data):
            if code.name in _PUTS and (place or 0) > len(data):  # the interpreter allocates as many values
                raise pickle.UnpicklingError(f"it counts {place} values in {len(data)} bytes")
        value = _PlainUnpickler(io.BytesIO(data)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle raises any exception
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from error
    return value


class _PortablePickler(pickle.Pickler):
    """Write arrays as a call of `numpy.ndarray`, which every version of numpy has under this name."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, np.ndarray):
            if obj.dtype.kind not in _KINDS:
                raise TypeError(f"An array of {obj.dtype} is not numeric.")
            return np.ndarray, (obj.shape, obj.dtype.str, bytearray(np.ascontiguousarray(obj).tobytes()))
        return NotImplemented


def dump_plain(value: Any, path: Path) -> None:
    """Write a pickle of plain values and numeric arrays that any version of numpy reads."""
    with path.open("wb") as file:
        _PortablePickler(file, protocol=4).dump(value)
