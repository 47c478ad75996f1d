"""Recipes: options in a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import configs
from ...errors import UsageError
from .option import convert
from .outputs import RESULTS
from .run import TYPES


def read_recipe(name: str) -> dict[str, Any]:
    """Read a recipe: the name of a bundled one, or a TOML file.

    Raises:
        UsageError: the recipe does not exist, is not TOML, has an unknown key or a value of the wrong type, or chooses
            which files are written or replaced.
    """
    values = checked(configs.read(name), origin=f"Recipe {name}")
    for key in (*RESULTS, "overwrite", "skip_existing", "retry_failed"):
        if key in values:
            flag = "--" + key.replace("_", "-")
            raise UsageError(
                f"Recipe {name} sets {key}. A recipe may come from someone else and does not choose which files are "
                f"written or replaced. Remove the key, and give {flag} in the command."
            )
    return values


def checked(values: Mapping[str, Any], *, origin: str) -> dict[str, Any]:
    """Return values by the names of their options; see `options.convert`."""
    types = TYPES | {"detector": "str"}
    return convert(values, types, origin=origin)
