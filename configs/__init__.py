"""Recipes: small TOML files that hold only what differs from the defaults, and why; those of training in `train`."""

from __future__ import annotations

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import UsageError


def names(folder: str = "") -> list[str]:
    """List the recipes that ship with posetrack: of runs, or those of a folder here."""
    entries = (files(__name__) / folder).iterdir()
    return sorted(Path(entry.name).stem for entry in entries if entry.name.endswith(".toml"))


def read(name: str, folder: str = "") -> dict[str, Any]:
    """Read a recipe: the name of a shipped one, or a TOML file.

    Raises:
        UsageError: there is no such recipe, the nearest name is offered; or it is not TOML.
    """
    path, known = Path(name), names(folder)
    if path.suffix == ".toml":
        if not path.is_file():
            raise UsageError(f"There is no recipe file {name}. Check the path, or use one of {', '.join(known)}.")
        content = path.read_bytes()
    elif name in known:
        content = (files(__name__) / folder / f"{name}.toml").read_bytes()
    else:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(known)}, or a .toml file."
        raise UsageError(f"There is no recipe '{name}'. {hint}")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or tables without end, too
        raise UsageError(f"Recipe {name} is not valid TOML: {error}. Correct it.") from error
