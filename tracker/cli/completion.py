"""`posetrack completion SHELL`: the script that completes words of the command line, made by shtab."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .limits import TABLES

SHELLS = ("bash", "zsh", "tcsh")
FILES = {"bash": "complete -o bashdefault -o default -F _shtab_posetrack posetrack\n"}  # files where no word fits


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "completion",
        help="print the script for a shell that completes commands and options",
        description="Print the completion script of a shell; docs/options.md explains where it goes.",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from . import completed_parser

    script = shtab.complete(completed_parser(), shell=args.shell)
    sys.stdout.write(f"{script}\n{FILES.get(args.shell, '')}")
    return 0
