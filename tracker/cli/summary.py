"""`posetrack summary`: statistics of each person and session, from tables of features or movements."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .results import print_files
from .sessions import add_tables, read_sessions


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "summary",
        help="summarise tables of features or movements: ranges of motion, means and asymmetry",
        description="Read tables that --features, --reps, --gait or --balance wrote and write minimum, maximum, range, "
        "mean and standard deviation of every measure of each person and session, and the asymmetry of left and right; "
        "docs/summaries.md has the formulas.",
    )
    add_tables(parser, sources="tables, or folders of tables of features")
    parser.add_argument(
        "--layout",
        choices=("wide", "tidy"),
        default="wide",
        help="wide: a row per person and session (default); tidy: a row per statistic",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, summarise and write."""
    from ..summary.statistics import DEFINITIONS, tidy, wide
    from ..summary.writing import write_table

    sessions = read_sessions(args)
    rows = {"tidy": tidy, "wide": wide}[args.layout](list(sessions.values()))
    write_table(Path(args.out), rows, definitions=DEFINITIONS, sources=sessions, overwrite=args.overwrite)
    return print_files(args.out)
