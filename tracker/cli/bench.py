"""`posetrack bench WHAT`: measure the speed of the stages, and compare them with other programs."""

from __future__ import annotations

import argparse
from typing import Any

from .bench_tracker import PEERS
from .json_option import add_json, check_json, write_json

CROWDS = (5, 20, 100)  # people per frame
OPTIONS: dict[str, dict[str, Any]] = {
    "source": {"help": "video to use (default: the sample of `posetrack demo`)"},
    "frames": {"type": int, "help": "frames to time (default: %(default)s)"},
    "warmup": {"type": int, "help": "frames before the measurement (default: %(default)s)"},
    "rounds": {"type": int, "help": "complete runs of each kind (default: %(default)s)"},
    "model": {"help": "pose network (default: %(default)s)"},
    "detector": {"help": "person detector (default: %(default)s)"},
    "device": {"help": "device (default: %(default)s)"},
    "runtime": {"help": "inference backend (default: %(default)s)"},
    "precision": {"help": "numeric precision (default: %(default)s)"},
    "detect_size": {
        "type": int,
        "help": "longer side of the detector's input; 0 is its training size (default: %(default)s)",
    },
    "batches": {"nargs": "+", "type": int, "metavar": "N", "help": "crops per batch (default: %(default)s)"},
    "people": {"nargs": "+", "type": int, "metavar": "N", "help": "people per frame (default: %(default)s)"},
    "against": {
        "nargs": "+",
        "choices": PEERS,
        "metavar": "NAME",
        "help": f"programs to compare with: {', '.join(PEERS)} (default: all)",
    },
}
WHERE: dict[str, Any] = {"device": "auto", "runtime": "auto", "precision": "auto"}


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure the speed of every stage on this machine",
        description="Measure speed on this machine. The default is `pipeline`. Quote medians, and "
        "compare figures of one run only. stages, tracker and endurance run on one core.",
    )
    kinds = parser.add_subparsers(title="measurements", metavar="WHAT")
    pipeline = _add(
        kinds,
        "pipeline",
        "every stage of a decoded clip, then complete runs from file to file, sequential and in parallel",
        **{"source": None, "frames": 120, "warmup": 10, "rounds": 3, "model": "bundled", "detector": "bundled"},
        **WHERE,
        **{"detect_size": 0, "people": None},
    )
    _add(
        kinds,
        "naive",
        "complete runs, start-up time and memory compared with a naive pipeline of Ultralytics, transformers and "
        "OpenCV with the same networks, of random weights (YOLO11n, ViTPose-B)",
        **{"frames": 6, "warmup": 2, "rounds": 3, **WHERE, "detect_size": 0, "people": (1, 5)},
    )
    _add(
        kinds,
        "network",
        "throughput of a pose network with random weights, relative to the device's matrix multiplication rate",
        **{"model": "bundled", **WHERE, "people": (1, 5, 20, 64), "rounds": 3},
    )
    _add(
        kinds,
        "gpu",
        "a GPU: crops and keypoints compared with the processor's, crops per second of networks with random weights, "
        "and complete runs at 1920 x 1080, with crops cut on the processor and on the GPU",
        **{"device": "auto", "model": "vitpose-b", "batches": (1, 8, 64), "rounds": 10},
        **{"people": (1, 5, 20), "frames": 120, "warmup": 10},
    )
    _add(
        kinds,
        "stages",
        "crops and decoding compared with transformers, drawing compared with supervision",
        **{"people": CROWDS, "frames": 120, "warmup": 10},
    )
    _add(
        kinds,
        "tracker",
        "updates with synthetic people, compared with other trackers",
        **{"people": CROWDS, "frames": 120, "warmup": 10, "against": PEERS},
    )
    _add(
        kinds,
        "endurance",
        "time and memory of the tracker in a long run",
        **{"people": (5,), "frames": 100_000},
    )
    parser.set_defaults(**vars(pipeline.parse_args([])))


def _add(kinds: Any, name: str, help: str, **defaults: Any) -> Any:
    """Add a measurement with its options, each by its default, and return its parser."""
    parser = kinds.add_parser(name, help=help, description=f"Measure {help}.")
    for option, default in defaults.items():
        words = dict(OPTIONS[option])
        if isinstance(default, tuple):
            words["help"] = words["help"].replace("%(default)s", " ".join(map(str, default)))
        elif default is None:
            words["help"] = words["help"].replace(" (default: %(default)s)", "")
        parser.add_argument(f"--{option.replace('_', '-')}", default=default, **words)
    add_json(parser)
    parser.set_defaults(run=run, what=name)
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    from rich.console import Console

    from . import bench_gpu, bench_runs, bench_stages, bench_tracker

    _check(args)
    check_json(args)
    measures = {
        "pipeline": bench_runs.run_pipeline,
        "naive": bench_runs.run_naive,
        "network": bench_stages.run_network,
        "gpu": bench_gpu.run_gpu,
        "stages": bench_stages.run_stages,
        "tracker": bench_tracker.run_tracker,
        "endurance": bench_tracker.run_endurance,
    }
    console = Console()
    figures = measures[args.what](args, console)
    facts = figures.get("networks", {}) | figures["machine"]
    console.print(", ".join(f"{key} {value}" for key, value in facts.items()), highlight=False)
    write_json(args, figures)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Check the numbers of a measurement's options."""
    from ...errors import UsageError

    least = {"frames": 10 if args.what == "endurance" else 1, "warmup": 0, "rounds": 1, "people": 1, "batches": 1}
    for name, number in least.items():
        value = getattr(args, name, None)
        several = name in ("people", "batches")
        if value is not None and min(value if several else [value]) < number:
            shown = " ".join(map(str, value)) if several else value
            raise UsageError(f"--{name} is {shown}; give {number} or more.")
