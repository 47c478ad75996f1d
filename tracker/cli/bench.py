"""`posetrack bench`: how fast the stages are on this machine, and the tracker beside others."""

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
        description="Of the pipeline: decode a clip into memory, warm up, and time detection, pose estimation and "
        "tracking of every frame; then whole runs from file to file, one stage after the other and side by side. With "
        "--against naive: whole runs beside the plain chain of Ultralytics, transformers and OpenCV's writer, with the "
        "same networks of random weights (YOLO11n, ViTPose-B), and how soon and in how much memory both are ready. Of "
        "the network: crops a second of a pose network with random weights, and how near that is to the rate at which "
        "its device multiplies matrices. Of the stages around the networks: time crops and decoding beside "
        "transformers and drawing beside supervision. Of the tracker: time its updates of invented people beside "
        "others, and its endurance, whether time and memory grow while people come and go. The last three on one core. "
        "Quote medians, and compare only figures of one run: machines are noisy.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("pipeline", "network", "stages", "tracker", "endurance"),
        default="pipeline",
        help="what to measure",
    )
    parser.add_argument("--source", help="video to use (default: the sample of `posetrack demo`)")
    parser.add_argument(
        "--frames", type=int, help="frames to time (default: 120; of the plain chain 6; of the endurance 100000)"
    )
    parser.add_argument("--warmup", type=int, help="frames before that (default: 10; of the plain chain 2)")
    parser.add_argument("--rounds", type=int, default=3, help="whole runs of each kind (default: %(default)s)")
    parser.add_argument("--model", default="bundled", help="pose network (default: %(default)s)")
    parser.add_argument("--detector", default="bundled", help="person detector (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="device (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="runtime of the networks (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="precision of the networks (default: %(default)s)")
    parser.add_argument(
        "--detect-size", type=int, default=0, help="detector's longer side; 0 is its own (default: %(default)s)"
    )
    parser.add_argument(
        "--people",
        nargs="+",
        type=int,
        help="people a frame (default: of tracker and stages 5 20 100, of the network 1 5 20 64, of the plain chain "
        "1 5, of the endurance 5)",
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
