"""Options of the main command, from the dataclasses of `config`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

from ... import configs
from ..config.networks import Networks
from ..config.option import Option, default_text, flag, options
from ..config.outputs import Outputs
from ..config.run import GROUPS
from ..config.source import Source

TITLES = {"source": "input", "networks": "networks", "tracking": "tracking", "outputs": "output", "workers": "workers"}


def add_arguments(parser: argparse.ArgumentParser, *, brief: bool = False, words: bool = False) -> None:
    """Add the options of the main command; an option that is not given is absent, so that a recipe can set it.

    Args:
        parser: gets a group of common options, and groups of the others.
        brief: add the common options only.
        words: for a shell's completion: without the sources, which hide the commands, and with every known value.
    """
    source = next(option for field, option in options(Source) if field.name == "source")
    if not words:
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help=f"{source.help}; several sources are a batch")
    titles = ["common options", *([] if brief else [*TITLES.values(), "live sources"])]
    groups = {title: parser.add_argument_group(title) for title in titles}
    for name in (
        "outputs",
        "source",
        "networks",
        "tracking",
        "workers",
    ):  # of the common options, the results come first
        for field, option in options(GROUPS[name]):
            group = groups.get("common options" if option.common else "live sources" if option.live else TITLES[name])
            if group:
                _add(group, field, option, **({"choices": option.choices} if words and option.choices else {}))
    groups["common options"].add_argument(
        "--config",
        metavar="RECIPE",
        default=argparse.SUPPRESS,
        help=f"{', '.join(configs.names())}, or your TOML file; options override it (default: none)",
    )


def add_shared(parser: argparse._ActionsContainer, *names: str) -> None:
    """Add options of the main command to another one, with the same words and defaults."""
    for field, option in (pair for group in (Networks, Outputs) for pair in options(group)):
        if field.name in names:
            _add(parser, field, option, default=field.default)


def _add(
    arguments: argparse._ActionsContainer,
    field: dataclasses.Field[Any],
    option: Option,
    *,
    default: Any = argparse.SUPPRESS,
    **more: Any,
) -> None:
    name = field.name.replace("_", "-")
    see = f"; see docs/{option.see}" if option.see else ""
    words: dict[str, Any] = {
        "dest": field.name,
        "default": default,
        "help": f"{option.help}{see} (default: {default_text(field)})".replace("`", "").replace("%", "%%"),
    }
    if option.metavar is None:  # the opposite of what is listed overrides a recipe
        for switch, action in ((f"--{name}", "store_true"), (f"--no-{name}", "store_false")):
            text = words["help"] if switch == flag(field) else argparse.SUPPRESS
            arguments.add_argument(switch, action=action, **(words | {"help": text}))
        return
    kinds: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "int | str": _number_or_word}
    kind = kinds.get(str(field.type).removesuffix(" | None"), str)
    arguments.add_argument(f"--{name}", metavar=option.metavar, type=kind, **words, **more)


def _number_or_word(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
