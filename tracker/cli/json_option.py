"""The option `--json FILE` of the commands that measure or list."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .options import add_shared


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json` and `--overwrite` to the parser of a command."""
    parser.add_argument("--json", metavar="FILE", help="also write the results to a JSON file")
    add_shared(parser, "overwrite")


def check_json(args: argparse.Namespace, *inputs: Path) -> None:
    """Check, before the work begins, that the file may be written.

    Args:
        args: of the command; what they name is read.
        inputs: other files that are read.

    Raises:
        OutputError: it exists and is not to be replaced, or cannot be written.
        UsageError: it is read by the command.
    """
    from ..partial import check_inputs, check_target

    if args.json:
        named = [value for name, value in vars(args).items() if name != "json" and isinstance(value, str)]
        check_inputs(Path(args.json), *named, *inputs)
        check_target(Path(args.json), overwrite=args.overwrite)


def write_json(args: argparse.Namespace, figures: Any) -> None:
    """Write the figures if a file was asked for.

    Raises:
        OutputError: it cannot be written.
    """
    from ..partial import PartialFile

    if args.json:
        with PartialFile(args.json, overwrite=args.overwrite) as file:
            file.write((json.dumps(figures, indent=2) + "\n").encode())
