"""`posetrack report`: the page that --report writes, from the files of an earlier run."""

from __future__ import annotations

import argparse
from typing import Any

from .calibration import add_calibration, calibration_of
from .events import add_recipe, detectors
from .limits import TABLES
from .options import add_shared
from .results import print_files
from .selection import add_selection, selected


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "report",
        help="write an HTML report from a keypoint table",
        description="Write one HTML file that works offline, as --report does while tracking: timeline, paths, angles, "
        "speeds, events, quality and, with --video, the video. docs/report.md has the details.",
    )
    parser.add_argument("source", help="keypoint table; the page includes the metadata of FILE.json beside it")
    parser.add_argument("--out", required=True, metavar="FILE", help="page to write, .html")
    parser.add_argument("--video", metavar="FILE", help="video that --save wrote in the same run")
    parser.add_argument("--title", metavar="TEXT", help="heading instead of the source's name")
    parser.add_argument("--notes", metavar="TEXT", help="text below the heading, such as the person, task and camera")
    parser.add_argument("--logo", metavar="FILE", help="image beside the heading: .png, .jpg or .svg")
    add_recipe(parser)
    parser.add_argument("--fps", metavar="RATE", type=float, help="frame rate of a table without times")
    add_selection(parser)
    add_calibration(parser)
    add_shared(parser, "overwrite")
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Read the table, then the video, and write the page."""
    from ..features.extraction.stream import ActionFeatures
    from ..formats.files import read_recording
    from ..output.actions import ActionSink
    from ..partial import Transaction
    from ..report.earlier_run import add_video, facts_of, with_texts
    from ..report.writer import Report

    recording = selected(read_recording(args.source, fps=args.fps), args)
    actions = ActionFeatures(skeleton=recording.skeleton, calibration=calibration_of(args, recording))
    detector, zones = detectors(args.recipe, actions)
    with Transaction() as results:
        page = Report(args.out, actions, fps=recording.fps, logo=args.logo, overwrite=args.overwrite, results=results)
        with page as report:
            people = report.people
            with ActionSink(actions, detector, people, zones=zones, movements=[people.movement]) as sink:
                for index, time, tracks in recording.timed():
                    sink.write_rows(index, time, tracks)
            facts = with_texts(facts_of(recording), title=args.title, notes=args.notes)
            if args.video:
                add_video(args.video, report, start=facts.get("config", {}).get("start") or 0.0)
        report.save(facts)
    return print_files(args.out)
