"""The command line: parse, call, print. Heavy libraries load only when a command runs."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import fill
from typing import NoReturn

from ...errors import PosetrackError, UsageError
from ...installation import explained
from ...version import __version__
from ..video.address import redact_error
from . import (
    attention,
    bench,
    compare,
    completion,
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
    serve,
    summary,
    train,
)
from .limits import NETWORKS, check_limits
from .parser import Parser, RootParser
from .supervisor import PlainFormatter, plain, supervised

_MOST_PIXELS = 2**28  # of an image, .8 GB decoded; FFmpeg has the same limit for videos
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ABOUT = "Track people and their 17 body keypoints in a webcam, video, image or stream."
_EPILOG = """\
examples:
  posetrack 0                         a webcam in a window
  posetrack dance.mp4 --save out.mp4 --csv out.csv
                                      a video to an annotated video and a table
  posetrack clips/ --csv tables/      all files of a folder
  posetrack squats.mp4 --events events.csv --label events --save out.mp4
                                      squats and other repetitions, counted
  posetrack demo                      a sample with real people

exit codes: 0 success, 1 failure during the run, 2 invalid request"""
_MORE = """\
posetrack --help-all                  all options
posetrack COMMAND --help              the options of a command

"""


class _Help(argparse.Action):
    """Print the short help, with the common options."""

    def __call__(self, *_: object) -> NoReturn:
        _parser(brief=True).print_help()
        raise SystemExit(0)


def build_parser() -> RootParser:
    """Return the parser of `posetrack` with all its commands; its help lists every option."""
    return _parser()


def completed_parser() -> RootParser:
    """Return the parser whose words a shell completes."""
    return _parser(words=True)


def _parser(*, brief: bool = False, words: bool = False) -> RootParser:
    job = Parser(prog="posetrack", add_help=False)
    options.add_arguments(job, brief=brief, words=words)
    job.set_defaults(run=run.run)
    parser = RootParser(
        job,
        prog="posetrack",
        usage="posetrack [SOURCE ...] [options]\n       posetrack COMMAND ...",
        description=fill(_ABOUT, max(20, get_terminal_size().columns - 2)),  # the epilog keeps its lines
        epilog=_MORE + _EPILOG if brief else _EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="show the common options and the commands")
    parser.add_argument("--help-all", action="help", help="show all options")
    parser.add_argument("--version", action="version", version=f"posetrack {__version__}")
    everything = (
        *(demo, serve, features, summary, compare, report, plot, eval, eval_tracking),
        *(convert, bench, models, export, attention, label, train, completion),
    )
    for command in everything:
        command.add_parser(parser.commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    with supervised(last=argv is None):
        try:
            code = _main(argv)
        except SystemExit as leave:  # --help and --version
            code = int(leave.code or 0)
        sys.stdout.flush()
        error = getattr(sys.stdout, "error", None)
        if error and not isinstance(error, BrokenPipeError):  # whose reader wanted no more
            sys.stderr.write(f"posetrack: Cannot write to the standard output: {error}. Free some space.\n")
        return 1 if error else code


def _main(argv: Sequence[str] | None) -> int:
    parser = build_parser()
    if logging.lastResort:
        logging.lastResort.setLevel(logging.INFO)  # prints the log if no handler is configured
        logging.lastResort.setFormatter(PlainFormatter())
    logging.getLogger("posetrack").setLevel(logging.INFO)
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(_MOST_PIXELS))  # read when OpenCV is loaded
    try:
        args = parser.parse_args(argv)
        check_limits(getattr(args, "memory", NETWORKS))
        with explained():
            return args.run(args)
    except PosetrackError as error:
        words = sys.argv[1:] if argv is None else argv
        sys.stderr.write(f"posetrack: {plain(redact_error(str(error), words))}\n")
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            sentence = f"A name has {len(str(error.filename))} characters, too many for a file. Shorten it."
        elif error.errno in _FULL:
            place = f" '{error.filename}'" if error.filename else ""
            sentence = f"Cannot write{place}: {error.strerror}. Free some space or choose another disk."
        else:
            raise
        sys.stderr.write(f"posetrack: {sentence}\n")
        return 2 if error.errno == errno.ENAMETOOLONG else 1
    except KeyboardInterrupt:
        sys.stderr.write("posetrack: stopped.\n")
        return 1
