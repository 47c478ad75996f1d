"""`posetrack bench gpu`: crops, networks and whole runs on a GPU, compared with crops cut on the processor."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PRECISIONS = {"cpu": ("fp32", "bf16"), "cuda": ("fp32", "bf16", "fp16"), "mps": ("fp32", "fp16")}


def run_gpu(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure, print each table as soon as it is complete, and return the figures."""
    from tempfile import TemporaryDirectory

    from ..benchmark.gpu import compare_crops, compare_keypoints, measure_runs
    from ..benchmark.machine import environment, machine
    from ..benchmark.network import measure_network
    from ..perception.device import resolve_device

    device = str(resolve_device(args.device))
    models = list(dict.fromkeys((args.model, "bundled")))
    figures: dict[str, Any] = {"device": device, "crops": compare_crops(device), "throughput": [], "runs": {}}
    _print("difference of crops, grey levels", "sampling", figures["crops"], console)
    figures["keypoints"] = compare_keypoints(device)
    _print("distance of keypoints, % of the person's height", "on the device", figures["keypoints"], console)
    # networks of random weights, hundreds of megabytes, stay out of the user's cache
    with TemporaryDirectory() as name, environment(POSETRACK_CACHE=name):
        folder = Path(name)
        for model in models:
            for precision in PRECISIONS[device.split(":")[0]]:
                where = {"device": device, "runtime": "torch", "precision": precision}
                file = folder / f"{model}.safetensors"
                own = measure_network(model, args.batches, file=file, rounds=args.rounds, **where)
                figures["throughput"].append(own)
                print_network(own, console)
        runs = measure_runs(models, args.people, device=device, folder=folder, frames=args.frames, warmup=args.warmup)
        for model, count, run in runs:
            figures["runs"].setdefault(model, {})[str(count)] = run
            title = f"{model}, {count} people at 1920 x 1080: frames/s, and ms of a frame"
            _print(title, "crops on the", run, console, first="fps")
    return figures | {"machine": machine()}


def print_network(figures: Mapping[str, Any], console: Console) -> None:
    """Print the figures of `measure_network`."""
    from rich.table import Table

    places = next(iter(figures["batches"].values()))["cut"]
    table = Table(title=figures["network"])
    for column in ("crops", "median ms", "crops/s", "of matrices' rate", *(f"cut on the {place}" for place in places)):
        table.add_column(column, justify="right")
    for count, values in figures["batches"].items():
        rates = [f"{rate:.1f}" for rate in values["cut"].values()]
        table.add_row(count, f"{values['median']:.2f}", f"{values['crops']:.1f}", f"{values['share']:.1%}", *rates)
    console.print(table)
    console.print(f"matrices are multiplied at {figures['peak']:.0f} GFLOP/s", highlight=False)


def _print(
    title: str, label: str, rows: Mapping[str, Mapping[str, float]], console: Console, first: str | None = None
) -> None:
    """Print a table of numbers; every row has the same columns."""
    from rich.table import Table

    columns: Sequence[str] = list(next(iter(rows.values())))
    table = Table(title=title)
    table.add_column(label)
    for column in columns:
        table.add_column(column, justify="right")
    for name, values in rows.items():
        table.add_row(name, *(f"{values[column]:.{1 if column == first else 2}f}" for column in columns))
    console.print(table)
