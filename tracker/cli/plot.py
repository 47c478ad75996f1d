"""`posetrack plot`: figures from a table of keypoints or of features."""

from __future__ import annotations

import argparse
from typing import Any

from .calibration import add_calibration, calibration_of
from .limits import TABLES
from .options import add_shared
from .results import print_files


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "plot",
        help="draw trajectories, angles and speeds from a table",
        description="Draw a timeline, trajectories of the centres of mass, speeds and joint angles from a table that "
        "--csv or --features wrote.",
    )
    parser.add_argument("source", help="table of keypoints or of features")
    parser.add_argument("--out", required=True, metavar="FILE", help="figure to write: .png, .pdf or .svg")
    parser.add_argument(
        "--kind", action="append", metavar="KIND", help="timeline, path, speed or angles; may be repeated"
    )
    parser.add_argument(
        "--person", action="append", type=int, metavar="ID", help="draw only this person; may be repeated"
    )
    parser.add_argument("--fps", metavar="RATE", type=float, help="frame rate of a table without times")
    add_calibration(parser)
    add_shared(parser, "overwrite")
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Read the table and draw it."""
    from pathlib import Path

    from ...errors import UsageError
    from ..report.drawing import KINDS, check_figure, save_figure

    kinds = tuple(args.kind or KINDS)
    if unknown := set(kinds) - set(KINDS):
        raise UsageError(f"There is no kind of figure '{min(unknown)}'. Choose one of {', '.join(KINDS)}.")
    out = Path(args.out)
    check_figure(out, overwrite=args.overwrite)
    measurements = _read(args)
    if args.person:
        if missing := set(args.person) - measurements.people.keys():
            there = ", ".join(map(str, sorted(measurements.people))) or "none"
            raise UsageError(f"There is no person {min(missing)} in '{args.source}'. IDs: {there}.")
        measurements.people = {identity: measurements.people[identity] for identity in args.person}
    save_figure(out, measurements, kinds=kinds)
    return print_files(out)


def _read(args: argparse.Namespace) -> Any:
    from pathlib import Path

    from ..features.events.detector import EventDetector
    from ..features.extraction.stream import ActionFeatures
    from ..formats.files import read_recording
    from ..output.actions import ActionSink
    from ..report.collector import Collector
    from ..report.table import is_features, read_features

    if is_features(Path(args.source)):
        return read_features(Path(args.source))
    recording = read_recording(args.source, fps=args.fps)
    actions = ActionFeatures(skeleton=recording.skeleton, calibration=calibration_of(args, recording))
    collector = Collector(actions)
    with ActionSink(actions, EventDetector(actions), collector) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)
    return collector.measurements
