"""`posetrack features`: joint angles, speeds, postures and events from a keypoint table."""

from __future__ import annotations

import argparse
from pathlib import Path
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
        "features",
        help="compute joint angles, speeds, postures and events from a keypoint table",
        description="Read a table that --csv wrote, or a file of another format with times, and write the tables that "
        "--features, --events, --reps, --gait and --balance would have written with it; docs/features.md "
        "describes the columns.",
    )
    parser.add_argument("source", help="keypoint table")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="table of features to write, and FILE.json beside it; or NAME.mot, a motion of OpenSim per person",
    )
    parser.add_argument(
        "--events", dest="events_out", metavar="FILE", help="table of events to write, and FILE.json beside it"
    )
    parser.add_argument("--reps", metavar="FILE", help="table of repetitions to write, and FILE.json beside it")
    parser.add_argument("--gait", metavar="FILE", help="table of gait cycles to write, and FILE.json beside it")
    parser.add_argument(
        "--balance", metavar="FILE", help="table of standing and jumps to write, and FILE.json beside it"
    )
    add_recipe(parser)
    parser.add_argument("--fps", metavar="RATE", type=float, help="frame rate of a table without times")
    add_selection(parser)
    add_calibration(parser)
    add_shared(parser, "overwrite")
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Read, compute and write, frame by frame."""
    from ...errors import UsageError
    from ..features.extraction.stream import ActionFeatures
    from ..formats.files import read_recording
    from ..output.actions import ActionSink
    from ..output.motion import SUFFIX, MotionFiles
    from ..partial import check_inputs

    if args.fps is not None and not args.fps > 0:
        raise UsageError(f"--fps is {args.fps}; give a positive number of frames per second.")
    outputs = {"features": args.out, "events": args.events_out}
    outputs |= {name: getattr(args, name) for name in ("reps", "gait", "balance")}
    if not any(outputs.values()):
        raise UsageError(
            "There is nothing to write. Add --out FILE for features, --events, --reps, --gait or --balance."
        )
    for result in outputs.values():
        if result:
            check_inputs(Path(result), args.source, args.recipe)
    recording = selected(read_recording(args.source, fps=args.fps), args)
    actions = ActionFeatures(skeleton=recording.skeleton, calibration=calibration_of(args, recording))
    detector, zones = detectors(args.recipe, actions)
    motion = (
        MotionFiles(Path(args.out), actions, overwrite=args.overwrite)
        if Path(args.out or "").suffix.lower() == SUFFIX
        else None
    )
    outputs |= {"features": None if motion else args.out, "source": args.source, "overwrite": args.overwrite}
    with ActionSink(actions, detector, *([motion] if motion else []), zones=zones, **outputs) as sink:
        for index, time, tracks in recording.timed():
            sink.write_rows(index, time, tracks)
    results = [outputs[name] for name in ("features", "events", "reps", "gait", "balance")]
    return print_files(*(motion.save() if motion else ()), *results)
