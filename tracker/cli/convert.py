"""`posetrack convert`: a table of tracks in the formats of others."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = subparsers.add_parser(
        "convert",
        help="write tracks as MOT Challenge boxes or PoseTrack18 poses",
        description="Read tracks from a table of --csv (.csv), a MOT file (.txt) or a PoseTrack18 file (.json), and "
        "write them as MOT Challenge boxes (.txt) or PoseTrack18 poses (.json).",
    )
    parser.add_argument("source", help="file to read")
    parser.add_argument("target", help="file to write; its suffix is the format")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and write."""
    from ..formats.files import read_trajectories, write_trajectories

    write_trajectories(args.target, read_trajectories(args.source), overwrite=args.overwrite)
    return 0
