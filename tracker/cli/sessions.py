"""Options of the commands that read tables of sessions and write one table, and the sessions themselves."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .limits import TABLES
from .options import add_shared

if TYPE_CHECKING:
    from ..summary.measures import Session


def add_tables(parser: argparse.ArgumentParser, *, sources: str) -> None:
    """Add the tables to read and the one to write; `sources` is the help of the former."""
    parser.add_argument("sources", nargs="+", metavar="TABLE", help=sources)
    parser.add_argument("--out", required=True, metavar="FILE", help="table to write, and FILE.json beside it")
    parser.add_argument("--flagged", action="store_true", help="include impossible angles")
    add_shared(parser, "overwrite")
    parser.set_defaults(memory=TABLES)


def read_sessions(args: argparse.Namespace, *, least: int = 1) -> dict[Path, Session]:
    """Return the session of each table that was given, `least` or more.

    Raises:
        SourceError: a table is missing, damaged or of another kind.
        UsageError: two sessions have the same name, or there are too few.
    """
    from ...errors import UsageError
    from ..summary.sessions import find_tables, read_session

    tables = find_tables(args.sources)
    if len(tables) < least:
        raise UsageError(f"'{next(iter(tables.values()))}' is the only table. Give another one to compare it with.")
    return {path: read_session(path, name=name, flagged=args.flagged) for name, path in tables.items()}
