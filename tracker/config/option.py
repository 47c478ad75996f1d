"""Options as fields of frozen dataclasses: the default, unit, help and check of each are declared once.

The command line, recipes, docs/options.md and the signature of `load_pipeline` are derived from the fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from ...errors import UsageError
from ...numeric import is_number, is_whole

AUTO = "auto"
POSITIVE = "a number above 0"
_KINDS: dict[str, tuple[str, tuple[Any, ...]]] = {  # what Python's callers may give, by the annotation of a field
    "int": ("a whole number", (Integral,)),
    "float": ("a number", (Real,)),
    "int | str": (f"a whole number or {AUTO!r}", (Integral, str)),
    "bool": ("True or False", (bool,)),
    "str": ("text", (str, os.PathLike)),
    "str | Callable[..., Any]": ("text or a function", (str, os.PathLike, Callable)),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """Description of an option.

    Attributes:
        help: what the option does; code is in backticks.
        metavar: placeholder of the value; None for an option that is on or off.
        unit: of the value, for errors.
        choices: allowed values; any value if empty.
        check: returns whether a value is allowed, or raises a `UsageError`.
        remedy: what to give instead of a refused value.
        see: page of docs/ with the details.
        common: whether the short help lists it.
        live: whether it concerns live sources only.
    """

    help: str
    metavar: str | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    check: Callable[[Any], object] | None = None
    remedy: str = ""
    see: str = ""
    common: bool = False
    live: bool = False


def option(default: Any, help: str, metavar: str | None = None, **attributes: Any) -> Any:
    """Declare a field of a dataclass as an option; `attributes` are the others of `Option`."""
    return dataclasses.field(default=default, metadata={"option": Option(help, metavar, **attributes)})


def options(group: Any) -> Iterator[tuple[dataclasses.Field[Any], Option]]:
    """Yield the fields of a dataclass, or of an instance, that are options of the command line."""
    for field in dataclasses.fields(group):
        if "option" in field.metadata:
            yield field, field.metadata["option"]


def check(group: Any) -> None:
    """Check every option of a dataclass's instance; None is always allowed.

    Raises:
        UsageError: with the option, its value and the remedy.
    """
    for field, option in options(group):
        value = getattr(group, field.name)
        if value is None:
            continue
        _check_kind(field, value)
        if not isinstance(value, str | Real):
            continue
        remedy = f"one of {', '.join(option.choices)}" if option.choices else option.remedy
        allowed = value in option.choices if option.choices else option.check is None or option.check(value)
        if not allowed:
            text = f"'{value}'" if isinstance(value, str) else f"{value}"
            unit = f" {option.unit}" if option.unit else ""
            raise UsageError(f"{field.name} is {text}{unit}; give {remedy}.")


def positive(value: float) -> bool:
    """Return whether a number is above 0 and finite."""
    return 0 < value < math.inf


def not_negative(value: float) -> bool:
    """Return whether a number is 0 or more and finite."""
    return 0 <= value < math.inf


def every(value: Any) -> bool:
    """Return whether a value is a whole number of 1 or more, or `auto`."""
    return value == AUTO or (isinstance(value, int) and value >= 1)


def _check_kind(field: dataclasses.Field[Any], value: Any) -> None:
    """Check the type of an option's value."""
    kind = str(field.type).removesuffix(" | None")
    what, types = _KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
        shown = repr(value) if isinstance(value, str | Real) else f"of type {type(value).__name__}"
        raise UsageError(f"{field.name} is {shown}; give {what}.")


def convert(values: Mapping[str, Any], types: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    """Check keys and types of a recipe; hyphens may replace underscores.

    Args:
        values: by key.
        types: annotation of every field, by its name.
        origin: of the values, for errors.

    Raises:
        UsageError: an unknown key (the message suggests the nearest one), or a value of the wrong type.
    """
    result = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in types:
            near = difflib.get_close_matches(name, types, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(types)}."
            raise UsageError(f"{origin} has the unknown key '{key}'. {hint}")
        result[name] = _convert(name, value, types[name], origin)
    return result


def _convert(name: str, value: Any, annotation: str, origin: str) -> Any:
    kind = annotation.removesuffix(" | None")
    if kind == "float" and is_number(value):
        return float(value)
    fits = {
        "int": is_whole(value),
        "int | str": value == AUTO or is_whole(value),
        "bool": isinstance(value, bool),
        "str": isinstance(value, str),
        "Mapping[str, Any]": isinstance(value, dict),
    }
    if not fits.get(kind, False):
        raise UsageError(f"{origin} sets {name} to {value!r}, which is not {kind}. Give a value of that type.")
    return value


def default_text(field: dataclasses.Field[Any]) -> str:
    """Return the default of an option as help and documentation print it."""
    if isinstance(field.default, bool):
        return "off"  # of its flag, which turns the default around
    if field.default in (None, ""):
        return "none"
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def flag(field: dataclasses.Field[Any]) -> str:
    """Return the flag of an option as help and documentation name it: `--no-NAME` if it is on by default."""
    name = field.name.replace("_", "-")
    return f"--no-{name}" if field.default is True else f"--{name}"


def table_rows(*groups: Any) -> dict[str, str]:
    """Return the row of each option in the table of docs/options.md, by its flag."""
    rows = {}
    for group in groups:
        for field, option in options(group):
            name = flag(field)
            usage = f"{name} {option.metavar}" if option.metavar else name
            see = f"; see [{option.see}]({option.see})" if option.see else ""
            rows[name] = f"| `{usage}` | {default_text(field)} | {option.help}{see} |"
    return rows
