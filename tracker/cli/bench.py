"""`posetrack bench`: how fast the stages are on this machine."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure the speed of every stage on this machine",
        description="Decode a clip into memory, warm up, and time detection, pose estimation and tracking of every "
        "frame. Quote medians, and compare only figures of one run: machines are noisy.",
    )
    parser.add_argument("--source", help="video to use (default: the sample of `posetrack demo`)")
    parser.add_argument("--frames", type=int, default=120, help="frames to time (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=10, help="frames before that (default: %(default)s)")
    parser.add_argument("--model", default="bundled", help="pose network (default: %(default)s)")
    parser.add_argument("--detector", default="bundled", help="person detector (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="device (default: %(default)s)")
    parser.add_argument(
        "--detect-size", type=int, default=0, help="detector's longer side; 0 is its own (default: %(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    import json
    from itertools import islice
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from rich.console import Console
    from rich.table import Table

    from ...errors import UsageError
    from ..bench import measure
    from ..pipeline import load_pipeline
    from ..video.sample import make_sample
    from ..video.source import open_source

    if args.frames < 1 or args.warmup < 0:
        raise UsageError(f"--frames is {args.frames} and --warmup {args.warmup}; give at least 1 and 0.")
    pipeline = load_pipeline(args.model, args.detector, args.device, detect_size=args.detect_size, offline=True)
    with TemporaryDirectory() as folder:
        source = args.source or make_sample(Path(folder) / "sample.mp4")
        with open_source(str(source)) as opened:
            frames = list(islice(opened, args.frames + args.warmup))
    figures = measure(pipeline, frames, warmup=args.warmup)

    table = Table(title=f"{figures['fps']:.1f} frames/s, {figures['people']:.1f} people a frame")
    for column in ("stage", "median ms", "p95 ms"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage, values in figures["stages"].items():
        table.add_row(stage, f"{values['median']:.2f}", f"{values['p95']:.2f}")
    console = Console()
    console.print(table)
    console.print(", ".join(f"{key} {value}" for key, value in figures["machine"].items()), highlight=False)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0
