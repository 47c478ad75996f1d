"""`posetrack convert`: tracks from one format to another."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from .calibration import add_calibration, calibration_of
from .limits import TABLES
from .options import add_shared
from .results import print_files
from .selection import add_selection, selected


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = subparsers.add_parser(
        "convert",
        help="write tracks in the format of another program",
        description="Read tracks and write them in another format. The suffix is the format: .csv (posetrack's table), "
        ".long.csv (one row per keypoint), .parquet, .txt (MOT Challenge), .json (PoseTrack18), .coco.json (COCO), "
        ".openpose (folder), .dlc.csv and .dlc.h5 (DeepLabCut), .sleap.h5 (SLEAP analysis), .trc (OpenSim), .c3d "
        "(motion capture), .pkl (MMAction2, PYSKL). docs/formats.md describes each.",
    )
    parser.add_argument("source", help="file, or OpenPose folder, to read")
    parser.add_argument("--out", metavar="FILE", required=True, help="file to write; its suffix is the format")
    parser.add_argument(
        "--to", metavar="FORMAT", help="format, instead of that of the suffix: coco, openpose, sleap, ..."
    )
    parser.add_argument("--fps", metavar="RATE", type=float, help="frame rate of a source without times")
    parser.add_argument("--size", metavar="WxH", help="size of the video in pixels, if the source does not state it")
    only = argparse.SUPPRESS
    add_selection(parser)
    add_calibration(parser)
    parser.add_argument(
        "--max-gap", metavar="SECONDS", type=float, default=only, help=".pkl: longest gap to interpolate (default: 0.5)"
    )
    parser.add_argument("--rate", metavar="RATE", type=float, default=only, help=".pkl: resample (default: source's)")
    parser.add_argument("--label", metavar="N", type=int, default=only, help=".pkl: number of the action (default: 0)")
    add_shared(parser, "overwrite")
    parser.set_defaults(run=run, memory=TABLES)


def run(args: argparse.Namespace) -> int:
    """Read, write, and print the files that were written."""
    from ...errors import UsageError
    from ..features.calibration.measures import UNCALIBRATED
    from ..formats.files import read_recording, write_recording
    from ..formats.registry import format_in, format_of
    from ..partial import PartialFile, Transaction, sidecar_path

    for name in ("fps", "rate"):
        if getattr(args, name, None) is not None and not 0 < getattr(args, name) < float("inf"):
            raise UsageError(f"--{name} is {getattr(args, name)}; give a number above 0.")
    size = re.fullmatch(r"(\d+)x(\d+)", args.size or "1x1")
    if not size:
        raise UsageError(f"--size is '{args.size}'; give it as 1920x1080.")
    options: dict[str, Any] = {
        name: getattr(args, name) for name in ("max_gap", "rate", "label") if hasattr(args, name)
    }
    recording = read_recording(
        args.source,
        fps=args.fps,
        size=(int(size[1]), int(size[2])) if args.size else None,
        **({"scale": args.scale} if args.scale else {}),
    )
    recording = selected(recording, args)
    if args.source.lower().endswith(".trc"):
        args.scale = None  # was of the source
    calibration = calibration_of(args, recording)
    if calibration != UNCALIBRATED:
        options["calibration"] = calibration
    beside, copy = sidecar_path(args.source), sidecar_path(args.out)
    with Transaction() as results:
        files = write_recording(args.out, recording, to=args.to, overwrite=args.overwrite, results=results, **options)
        if beside.is_file() and format_in(Path(args.source)) is format_of(Path(args.out), args.to):
            with PartialFile(copy, overwrite=True, results=results) as file:
                file.write(beside.read_bytes())  # the metadata of the run, for the next command
            files.append(copy)
    return print_files(*files)
