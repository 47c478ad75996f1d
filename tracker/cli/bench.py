"""`posetrack bench`: measure the speed of the stages, and compare the tracker with others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PEERS = ("norfair", "norfair-euclidean", "bytetrack", "sort", "filterpy")


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure the speed of every stage on this machine",
        description="pipeline: time detection, pose estimation and tracking of every frame of a decoded clip, then "
        "complete runs from file to file, sequential and in parallel. With --against naive: complete runs, start-up "
        "time and memory compared with a plain chain of Ultralytics, transformers and OpenCV, with the same networks "
        "and random weights (YOLO11n, ViTPose-B). network: throughput of a pose network with random weights, relative "
        "to the matrix multiplication rate of the device. stages: crops and decoding compared with transformers, "
        "drawing compared with supervision. tracker: updates with synthetic people, compared with other trackers. "
        "endurance: time and memory while people come and go. The last three run on one core. Quote medians, and "
        "compare figures of one run only.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("pipeline", "network", "stages", "tracker", "endurance"),
        default="pipeline",
        help="what to measure",
    )
    parser.add_argument("--source", help="video to use (default: the sample of `posetrack demo`)")
    parser.add_argument("--frames", type=int, help="frames to time (default: 120; naive: 6; endurance: 100000)")
    parser.add_argument("--warmup", type=int, help="frames before the measurement (default: 10; naive: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="complete runs of each kind (default: %(default)s)")
    parser.add_argument("--model", default="bundled", help="pose network (default: %(default)s)")
    parser.add_argument("--detector", default="bundled", help="person detector (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="device (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="inference backend (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="numeric precision (default: %(default)s)")
    parser.add_argument(
        "--detect-size",
        type=int,
        default=0,
        help="longer side of the detector's input; 0 is the size of its training (default: %(default)s)",
    )
    parser.add_argument(
        "--people",
        nargs="+",
        type=int,
        help="people per frame (default: tracker and stages: 5 20 100; network: 1 5 20 64; naive: 1 5; endurance: 5)",
    )
    parser.add_argument(
        "--against", nargs="+", choices=(*PEERS, "naive"), help="tracker: peers (default: all); pipeline: naive"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to a file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    import json

    from rich.console import Console

    from ...errors import UsageError
    from .bench_runs import run_naive, run_pipeline
    from .bench_stages import run_network, run_stages

    naive = args.what == "pipeline" and args.against == ["naive"]
    if args.against and not naive and (args.what == "pipeline" or "naive" in args.against):
        wanted = "naive" if args.what == "pipeline" else ", ".join(PEERS)
        raise UsageError(f"The {args.what} is not measured against {' '.join(args.against)}; give {wanted}.")
    long = args.what == "endurance"
    args.frames = args.frames if args.frames is not None else 6 if naive else 100_000 if long else 120
    crowds: dict[str, list[int] | None] = {"pipeline": None, "network": [1, 5, 20, 64], "endurance": [5]}
    args.people = args.people or crowds.get(args.what, [5, 20, 100])
    args.warmup = args.warmup if args.warmup is not None else 2 if naive else 10
    if args.frames < (10 if long else 1) or args.warmup < 0 or args.rounds < 1 or min(args.people or [1]) < 1:
        told = f"--frames is {args.frames}, --warmup {args.warmup}, --rounds {args.rounds} and --people {args.people}"
        raise UsageError(f"{told}; give at least {10 if long else 1}, 0, 1 and 1.")
    console = Console()
    pipeline = run_naive if naive else run_pipeline
    measures = {
        "pipeline": pipeline,
        "network": run_network,
        "stages": run_stages,
        "tracker": _tracker,
        "endurance": _endurance,
    }
    figures = measures[args.what](args, console)
    facts = figures.get("networks", {}) | figures["machine"]
    console.print(", ".join(f"{key} {value}" for key, value in facts.items()), highlight=False)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _tracker(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from rich.table import Table

    from ..benchmark.trackers import measure_trackers

    figures = measure_trackers(args.people, args.against or PEERS, frames=args.frames, warmup=args.warmup)
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
        sentence = f"{name} is not installed, so it is not measured: {command}"
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return figures


def _endurance(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from rich.table import Table

    from ..benchmark.trackers import measure_endurance

    figures = measure_endurance(args.people[0], args.frames)
    table = Table(title=f"{args.frames} frames of {args.people[0]} people, {figures['ids']} in all")
    for column in ("frames", "median ms", "p95 ms", "memory MB", "remembered"):
        table.add_column(column, justify="right")
    for part in ("first", "last"):
        own = figures[part]
        numbers = (f"{own['median']:.3f}", f"{own['p95']:.3f}", f"{own['memory']:.1f}", str(own["tracks"]))
        table.add_row(f"{part} tenth", *numbers)
    console.print(table)
    return figures
