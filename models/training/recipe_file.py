"""Training recipes as files: TOML with overrides of single keys, checked, and saved as resolved."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from ... import configs
from ...errors import UsageError
from .recipe import Recipe

FOLDER = "train"  # of `configs`, with the shipped recipes


def read(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides.

    Args:
        name: a shipped recipe, or a TOML file.
        overrides: each `key=value`, such as `optim.lr=1e-4`; the value as in TOML, strings also without quotes.

    Raises:
        UsageError: there is no such recipe, or a key or a value is invalid.
    """
    table = configs.read(name, FOLDER)
    for override in overrides:
        _override(table, override)
    return _build(Recipe, table, prefix="", origin=f"Recipe {name}")


def write(recipe: Recipe, path: Path) -> None:
    """Write a resolved recipe, with every key, as TOML for `read`."""
    import tomli_w

    path.write_text(tomli_w.dumps(dataclasses.asdict(recipe)), encoding="utf-8")


def _override(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise UsageError(f"--set {override} has no value. Give it as key=value, such as optim.lr=1e-4.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *parents, last = key.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {override}: {parent} is a value and has no keys. Remove the part after the dot.")
    table[last] = value


def _build(kind: Any, table: Mapping[str, Any], *, prefix: str, origin: str) -> Any:
    """Build a dataclass from a table, checking keys and types on all levels."""
    types = get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in types:
            near = difflib.get_close_matches(prefix + key, _keys(Recipe), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The keys here are {', '.join(types)}."
            raise UsageError(f"{origin} has the unknown key '{prefix}{key}'. {hint}")
        wanted = types[key]
        if dataclasses.is_dataclass(wanted) and isinstance(value, dict):
            values[key] = _build(wanted, value, prefix=f"{prefix}{key}.", origin=origin)
        else:
            values[key] = _convert(value, wanted, key=prefix + key, origin=origin)
    for entry in dataclasses.fields(kind):
        if (
            entry.name not in values
            and entry.default is dataclasses.MISSING
            and entry.default_factory is dataclasses.MISSING
        ):
            raise UsageError(f"{origin} lacks the key '{prefix}{entry.name}'. Add it, or --set it.")
    return kind(**values)


def _keys(kind: Any, prefix: str = "") -> list[str]:
    keys = []
    for key, wanted in get_type_hints(kind).items():
        keys += _keys(wanted, f"{prefix}{key}.") if dataclasses.is_dataclass(wanted) else [prefix + key]
    return keys


def _convert(value: Any, wanted: Any, *, key: str, origin: str) -> Any:
    if get_origin(wanted) is tuple and isinstance(value, list):
        items = get_args(wanted)
        if items[-1] is Ellipsis:
            items = (items[0],) * len(value)
        if len(items) == len(value):
            return tuple(_convert(v, w, key=key, origin=origin) for v, w in zip(value, items, strict=True))
    if wanted is float and type(value) in (int, float):
        return float(value)
    if wanted in (int, str) and type(value) is wanted:
        return value
    name = "table" if dataclasses.is_dataclass(wanted) else str(getattr(wanted, "__name__", wanted))
    if get_origin(wanted) is tuple:
        name = (
            "list like [256, 192]" if len(get_args(wanted)) == 2 and get_args(wanted)[1] is int else "list of numbers"
        )
    raise UsageError(f"{origin} sets {key} to {value!r}, but it must be of type {name}. Change it.")
