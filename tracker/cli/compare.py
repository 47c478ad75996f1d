"""`posetrack compare`: differences and agreement of sessions, from tables of features or movements."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .results import print_files
from .sessions import add_tables, read_sessions


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "compare",
        help="compare tables of features or movements: difference, limits of agreement, ICC",
        description="Compare tables that --features, --reps, --gait or --balance wrote with the first one. By session: "
        "the statistics of each person, for example before and after a training. By frame: every value of two analyses "
        "of one video. Limits of agreement follow Bland and Altman; pingouin computes the ICC.",
    )
    add_tables(parser, sources="tables of one kind, or a folder of features")
    parser.add_argument(
        "--plot", metavar="FILE", help="Bland-Altman plots of the joint angles to write: .png, .pdf or .svg"
    )
    parser.add_argument(
        "--by",
        choices=("session", "frame"),
        default="session",
        help="session: range, mean and so on of each person (default); frame: every value, for tables of one video",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, compare and write."""
    from ..summary.agreement import DEFINITIONS, by_frame, by_session
    from ..summary.writing import write_table

    plot = args.plot and Path(args.plot)
    if plot:
        from ..report.agreement import save_agreement
        from ..report.drawing import check_figure

        check_figure(plot, overwrite=args.overwrite)
    sessions = read_sessions(args, least=2)
    first, *others = sessions.values()
    compared = {"session": by_session, "frame": by_frame}[args.by]
    rows = [row for other in others for row in compared(first, other)]
    if plot:
        save_agreement(plot, first, others, by=args.by)
    write_table(Path(args.out), rows, definitions=DEFINITIONS, sources=sessions, overwrite=args.overwrite)
    return print_files(args.out, plot)
