"""`posetrack compare`: differences and agreement of sessions, from tables of features or movements."""

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
        "compare",
        help="compare tables of features or movements: difference, limits of agreement, ICC",
        description="Compare tables that --features, --reps, --gait or --balance wrote with the first one. By session: "
        "the statistics of each person, for example before and after a training. By frame: every value of two analyses "
        "of one video. Limits of agreement follow Bland and Altman; pingouin computes the ICC.",
    )
    parser.add_argument("sources", nargs="+", metavar="TABLE", help="tables of one kind, or a folder of features")
    parser.add_argument("--out", required=True, metavar="FILE", help="table to write, and FILE.json beside it")
    parser.add_argument(
        "--plot", metavar="FILE", help="Bland-Altman plots of the joint angles to write: .png, .pdf or .svg"
    )
    parser.add_argument(
        "--by",
        choices=("session", "frame"),
        default="session",
        help="session: range, mean and so on of each person (default); frame: every value, for tables of one video",
    )
    parser.add_argument("--flagged", action="store_true", help="include impossible angles")
    add_shared(parser, "overwrite")
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Read, compare and write."""
    from ...errors import UsageError
    from ..summary.agreement import DEFINITIONS, by_frame, by_session
    from ..summary.sessions import find_tables, read_session
    from ..summary.writing import write_table

    tables = find_tables(args.sources)
    if len(tables) < 2:
        raise UsageError(f"'{next(iter(tables.values()))}' is the only table. Give another one to compare it with.")
    plot = args.plot and Path(args.plot)
    if plot:
        from ..report.agreement import save_agreement
        from ..report.drawing import check_figure

        check_figure(plot, overwrite=args.overwrite)
    first, *others = (read_session(path, name=name, flagged=args.flagged) for name, path in tables.items())
    compared = {"session": by_session, "frame": by_frame}[args.by]
    rows = [row for other in others for row in compared(first, other)]
    if plot:
        save_agreement(plot, first, others, by=args.by)
    write_table(
        Path(args.out), rows, sources=tables.values(), facts={"definitions": DEFINITIONS}, overwrite=args.overwrite
    )
    return print_files(args.out, plot)
