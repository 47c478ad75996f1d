"""Numbers in JSON and TOML files: `true` and `"5"` are none, although Python computes with True and reads "5"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def is_number(value: Any) -> bool:
    """Return whether a value of a file is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Return whether a value of a file is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_number(value: Any) -> float:
    """Return a number.

    Raises:
        ValueError: it is none.
    """
    if not is_number(value):
        raise ValueError(f"{_short(value)} is not a number")
    return float(value)


def as_whole(value: Any) -> int:
    """Return a whole number, which other programs may have written as 5.0.

    Raises:
        ValueError: it is none.
    """
    if not is_number(value) or value != value // 1:
        raise ValueError(f"{_short(value)} is not a whole number")
    return int(value)


def as_numbers(values: Iterable[Any]) -> list[float | None]:
    """Return the numbers of a list, of which some may be missing (null).

    Raises:
        ValueError: one is none.
    """
    found = list(values)
    if not set(map(type, found)) <= {int, float, type(None)}:
        wrong = next(value for value in found if value is not None and not is_number(value))
        raise ValueError(f"{_short(wrong)} is not a number")
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
