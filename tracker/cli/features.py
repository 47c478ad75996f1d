"""`posetrack features`: joint angles, speeds and postures from a keypoint table."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "features",
        help="compute joint angles, speeds and postures from a keypoint table",
        description="Read a table that --csv wrote, or a file of another format with times, and write the features "
        "that --features would have written with it; docs/features.md tells every column.",
    )
    parser.add_argument("source", help="keypoint table")
    parser.add_argument("--out", required=True, metavar="FILE", help="table of features to write, and FILE.json beside")
    parser.add_argument("--person-height", type=float, metavar="M", help="gives speeds in metres, too")
    parser.add_argument("--scale", type=float, metavar="PIXELS", help="pixels per metre; gives speeds in metres, too")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, compute and write, frame by frame."""
    from ..config import check_calibration
    from ..features.stream import ActionFeatures
    from ..formats.files import read_recording
    from ..output.features import FeatureSink

    check_calibration(args.person_height, args.scale)
    recording = read_recording(args.source)
    features = ActionFeatures(skeleton=recording.skeleton, person_height=args.person_height, scale=args.scale)
    with FeatureSink(args.out, features=features, overwrite=args.overwrite) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)
    return 0
