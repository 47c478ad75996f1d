"""`posetrack bench network` and `stages`: a pose network alone, and the steps around the networks beside others'."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def run_network(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure, print a table, and return the figures."""
    from tempfile import TemporaryDirectory

    from ..benchmark.machine import environment
    from ..benchmark.network import measure_network
    from .bench_gpu import print_network

    where = {"device": args.device, "runtime": args.runtime, "precision": args.precision}
    with TemporaryDirectory() as folder, environment(POSETRACK_CACHE=folder):
        file = Path(folder) / f"{args.model}.safetensors"
        figures = measure_network(args.model, args.people, file=file, rounds=args.rounds, **where)
    print_network(figures, console)
    return figures


def run_stages(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure, print a table, and return the figures."""
    from rich.table import Table

    from ..benchmark.steps import measure_stages

    figures = measure_stages(args.people, rounds=args.frames, warmup=args.warmup)
    table = Table(title="steps around the networks, ms")
    for column in ("people", "step", "program", "median", "p95", "of ours"):
        table.add_column(column, justify="left" if column in ("step", "program") else "right")
    for people, stages in figures["people"].items():
        for stage, programs in stages.items():
            for name, values in programs.items():
                numbers = (f"{values['median']:.2f}", f"{values['p95']:.2f}", f"{values['ratio']:.1f}x")
                table.add_row(people, stage, name, *numbers)
    console.print(table)
    difference = f"points differ from those of whole smoothed maps by {figures['difference']:.0e} px at the most"
    console.print(difference, highlight=False)
    for name, command in figures["missing"].items():
        sentence = f"{name} is not installed, so it is not measured: {command}"
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return figures
