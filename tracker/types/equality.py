"""Compare objects that hold arrays, whose own `==` gives an array."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np


class Comparable:
    """Base of a data class of arrays: equal if all fields are; NaN, a missing keypoint, equals NaN.

    The data class is declared with `eq=False`.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))  # type: ignore[arg-type]


def equal(a: Any, b: Any) -> bool:
    """Return whether two values are the same; arrays of numbers also by their shape."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    return bool(a == b)
