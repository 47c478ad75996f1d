"""`posetrack bench`: how fast the stages are on this machine, and the tracker beside others."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure the speed of every stage on this machine",
        description="Of the pipeline: decode a clip into memory, warm up, and time detection, pose estimation and "
        "tracking of every frame. Of the stages around the networks: time crops and decoding beside transformers and "
        "drawing beside supervision. Of the tracker: time its updates of invented people beside other trackers. Both "
        "on one core, in turns. Quote medians, and compare only figures of one run: machines are noisy.",
    )
    parser.add_argument(
        "what", nargs="?", choices=("pipeline", "stages", "tracker"), default="pipeline", help="what to measure"
    )
    parser.add_argument("--source", help="video to use (default: the sample of `posetrack demo`)")
    parser.add_argument("--frames", type=int, default=120, help="frames to time (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=10, help="frames before that (default: %(default)s)")
    parser.add_argument("--model", default="bundled", help="pose network (default: %(default)s)")
    parser.add_argument("--detector", default="bundled", help="person detector (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="device (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="runtime of the networks (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="precision of the networks (default: %(default)s)")
    parser.add_argument(
        "--detect-size", type=int, default=0, help="detector's longer side; 0 is its own (default: %(default)s)"
    )
    peers = ("norfair", "norfair-euclidean", "bytetrack", "sort", "filterpy")
    parser.add_argument("--people", nargs="+", type=int, default=[5, 20, 100], help="tracker, stages: people a frame")
    parser.add_argument(
        "--against", nargs="*", choices=peers, default=peers, help="tracker: peers to compare with (default: all)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    import json
    from pathlib import Path

    from rich.console import Console

    from ...errors import UsageError
    from .bench_stages import run_stages

    if args.frames < 1 or args.warmup < 0 or min(args.people) < 1:
        told = f"--frames is {args.frames}, --warmup {args.warmup} and --people {min(args.people)}"
        raise UsageError(f"{told}; give at least 1, 0 and 1.")
    console = Console()
    measure = {"pipeline": _pipeline, "stages": run_stages, "tracker": _tracker}[args.what]
    figures = measure(args, console)
    console.print(", ".join(f"{key} {value}" for key, value in figures["machine"].items()), highlight=False)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _pipeline(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from itertools import islice
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from rich.table import Table

    from ..bench import measure
    from ..pipeline import load_pipeline
    from ..video.sample import make_sample
    from ..video.source import open_source

    pipeline = load_pipeline(
        args.model,
        args.detector,
        args.device,
        runtime=args.runtime,
        precision=args.precision,
        detect_size=args.detect_size,
        offline=True,
    )
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
    console.print(table)
    return figures


def _tracker(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from rich.table import Table

    from ..tracker_bench import measure_trackers

    figures = measure_trackers(args.people, args.against, frames=args.frames, warmup=args.warmup)
    for part, title in (("people", "full update, ms"), ("kalman", "all Kalman filters, predict and update, ms")):
        if not figures[part]:
            continue
        table = Table(title=title)
        for column in ("people", "tracker", "median", "p95", "of ours", "difference px"):
            table.add_column(column, justify="left" if column == "tracker" else "right")
        for people, trackers in figures[part].items():
            difference = trackers.get("difference")
            for name in (name for name in trackers if name != "difference"):
                values = trackers[name]
                apart = f"{difference:.0e}" if difference is not None and name != "posetrack" else ""
                numbers = (f"{values['median']:.2f}", f"{values['p95']:.2f}", f"{values['ratio']:.1f}x", apart)
                table.add_row(people, name, *numbers)
        if part == "people":
            table.columns.pop()
        console.print(table)
    for name, command in figures["missing"].items():
        console.print(f"{name} is not installed, so it is not measured: {command}", highlight=False)
    return figures
