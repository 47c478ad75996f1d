"""The command line: parse, call, print. Heavy libraries load only when a command runs."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from ...errors import PosetrackError, UsageError
from ...installation import explained
from ...version import __version__
from . import (
    attention,
    bench,
    convert,
    demo,
    eval,
    eval_tracking,
    export,
    features,
    label,
    models,
    options,
    plot,
    report,
    run,
    train,
)
from .parser import Parser, RootParser

_EPILOG = """\
examples:
  posetrack 0                                        a webcam in a window
  posetrack dance.mp4 --save out.mp4 --csv out.csv   a video file to a video and a table
  posetrack clips/ --csv tables/                     all files of a folder
  posetrack demo                                     a sample with real people

exit codes: 0 success, 1 failure during the run, 2 invalid request"""


def build_parser() -> RootParser:
    """Return the parser of `posetrack` with all its commands."""
    job = Parser(prog="posetrack", add_help=False)
    options.add_arguments(job)
    job.set_defaults(run=run.run)
    parser = RootParser(
        job,
        prog="posetrack",
        usage="posetrack [SOURCE ...] [options]\n       posetrack COMMAND ...",
        description="Track people and their 17 body keypoints in a webcam, video, image or stream.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"posetrack {__version__}")
    everything = (
        *(demo, features, report, plot, eval, eval_tracking),
        *(convert, bench, models, export, attention, label, train),
    )
    for command in everything:
        command.add_parser(parser.commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = build_parser()
    if logging.lastResort:
        logging.lastResort.setLevel(logging.INFO)  # prints the log if no handler is configured
    logging.getLogger("posetrack").setLevel(logging.INFO)
    try:
        args = parser.parse_args(argv)
        with explained():
            return args.run(args)
    except UsageError as error:
        sys.stderr.write(f"posetrack: {error}\n")
        return 2
    except PosetrackError as error:
        sys.stderr.write(f"posetrack: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("posetrack: stopped.\n")
        return 1
