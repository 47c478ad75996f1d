"""Options of the main command, from the dataclasses of `config`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

from ... import configs
from ..config import GROUPS, Source
from ..options import Option, default_text, options

TITLES = {"source": "input", "outputs": "output", "networks": "networks", "tracking": "tracking"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the main command; an option that is not given is absent, so that a recipe can set it."""
    source = next(option for field, option in options(Source) if field.name == "source")
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help=f"{source.help}; several sources are a batch")
    for name, group in GROUPS.items():
        arguments = parser.add_argument_group(TITLES[name])
        for field, option in options(group):
            _add(arguments, field, option)
    arguments.add_argument(
        "--config",
        metavar="RECIPE",
        default=argparse.SUPPRESS,
        help=f"{', '.join(configs.names())}, or your TOML file; options override it (default: none)",
    )


def _add(arguments: argparse._ArgumentGroup, field: dataclasses.Field[Any], option: Option) -> None:
    flag = "--" + field.name.replace("_", "-")
    see = f"; see docs/{option.see}" if option.see else ""
    words: dict[str, Any] = {
        "dest": field.name,
        "default": argparse.SUPPRESS,
        "help": f"{option.help}{see} (default: {default_text(field)})".replace("`", "").replace("%", "%%"),
    }
    if option.metavar is None:
        arguments.add_argument(flag, action="store_true", **words)
        no = "--no-" + flag.removeprefix("--")  # overrides a recipe
        arguments.add_argument(no, action="store_false", **(words | {"help": argparse.SUPPRESS}))
        return
    kinds: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "int | str": _number_or_word}
    kind = kinds.get(str(field.type).removesuffix(" | None"), str)
    arguments.add_argument(flag, metavar=option.metavar, type=kind, **words)


def _number_or_word(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
