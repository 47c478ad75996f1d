"""`posetrack summary`: statistics of each person and session, from tables of features or movements."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .limits import TABLES
from .options import add_shared
from .results import print_files


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "summary",
        help="summarise tables of features or movements: ranges of motion, means and asymmetry",
        description="Read tables that --features, --reps, --gait or --balance wrote and write minimum, maximum, range, "
        "mean and standard deviation of every measure of each person and session, and the asymmetry of left and right; "
        "docs/summaries.md has the formulas.",
    )
    parser.add_argument("sources", nargs="+", metavar="TABLE", help="tables, or folders of tables of features")
    parser.add_argument("--out", required=True, metavar="FILE", help="table to write, and FILE.json beside it")
    parser.add_argument(
        "--layout",
        choices=("wide", "tidy"),
        default="wide",
        help="wide: a row per person and session (default); tidy: a row per statistic",
    )
    parser.add_argument("--flagged", action="store_true", help="include impossible angles")
    add_shared(parser, "overwrite")
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Read, summarise and write."""
    from ..summary.sessions import find_tables, read_session
    from ..summary.statistics import DEFINITIONS, tidy, wide
    from ..summary.writing import write_table

    tables = find_tables(args.sources)
    sessions = [read_session(path, name=name, flagged=args.flagged) for name, path in tables.items()]
    rows = {"tidy": tidy, "wide": wide}[args.layout](sessions)
    write_table(
        Path(args.out), rows, sources=tables.values(), facts={"definitions": DEFINITIONS}, overwrite=args.overwrite
    )
    return print_files(args.out)
