"""`posetrack plot`: figures from a table of keypoints or of features."""

from __future__ import annotations

import argparse
from typing import Any

from .calibration import add_calibration, calibration_of
from .limits import TABLES
from .options import add_shared
from .results import print_files
from .selection import add_selection, selected


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
    parser.add_argument("--fps", metavar="RATE", type=float, help="frame rate of a table without times")
    add_selection(parser)
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
    save_figure(out, _read(args), kinds=kinds)
    return print_files(out)


def _read(args: argparse.Namespace) -> Any:
    from pathlib import Path

    from ..features.events.detector import EventDetector
    from ..features.extraction.stream import ActionFeatures
    from ..formats.files import read_recording
    from ..output.actions import ActionSink
    from ..report.collector import Collector
    from ..report.table import is_features

    if is_features(Path(args.source)):
        return _read_features(args)
    recording = selected(read_recording(args.source, fps=args.fps), args)
    actions = ActionFeatures(skeleton=recording.skeleton, calibration=calibration_of(args, recording))
    collector = Collector(actions)
    with ActionSink(actions, EventDetector(actions), collector) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)
    return collector.measurements


def _read_features(args: argparse.Namespace) -> Any:
    """Read a table of features, which has no boxes by which people could be selected, only IDs."""
    from pathlib import Path

    from ...errors import UsageError
    from ..report.table import read_features
    from ..tracking.selectors import parse_person

    person = args.person and parse_person(args.person)
    if not isinstance(person, int | None) or args.min_length or args.roi:
        raise UsageError(
            f"'{args.source}' has features only. Select a person by ID, with --person, or give the table of keypoints."
        )
    measurements = read_features(Path(args.source))
    if person and person not in measurements.people:
        there = ", ".join(map(str, sorted(measurements.people))) or "none"
        raise UsageError(f"No person in '{args.source}' has the id {person}. IDs: {there}.")
    if person:
        measurements.people = {person: measurements.people[person]}
    return measurements
