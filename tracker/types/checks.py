"""Check the arguments of the data classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import InputError


def set_array(owner: Any, name: str, value: ArrayLike, shape: tuple[int | None, ...], dtype: Any = np.float32) -> None:
    """Convert a field of a frozen data class to an array, check its shape and store it.

    Args:
        owner: the data class.
        name: of the field.
        value: given for it; an empty list has any shape.
        shape: expected lengths; None is any length.
        dtype: of the array.

    Raises:
        InputError: it is not an array of numbers, or has another shape.
    """
    try:
        array = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"{type(owner).__name__}.{name} is not an array of numbers: {error}.") from error
    if array.shape == (0,) and not shape[0]:
        array = array.reshape([length or 0 for length in shape])
    if array.ndim != len(shape) or any(want is not None and got != want for got, want in zip(array.shape, shape)):
        expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise InputError(f"{type(owner).__name__}.{name} has shape {array.shape}; give an array of shape {expected}.")
    object.__setattr__(owner, name, array)


def as_seconds(time: Any, *, of: str, last: float | None = None) -> float:
    """Return a time as seconds.

    Args:
        time: any number.
        of: what it is the time of, for errors.
        last: seconds before which it must not be.

    Raises:
        InputError: it is no finite number, or before the last one.
    """
    try:
        finite = not isinstance(time, str) and math.isfinite(time)
    except (TypeError, ValueError):
        finite = False
    if not finite:
        raise InputError(f"The time of {of} is {time!r}; give finite seconds.")
    if last is not None and time < last:
        raise InputError(
            f"Timestamps run backwards, from {last} s to {time} s. Sort the frames, or begin anew for another video."
        )
    return float(time)
