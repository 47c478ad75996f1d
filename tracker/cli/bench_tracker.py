"""`posetrack bench tracker` and `endurance`: the tracker alone, beside others, and over a long time."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PEERS = ("norfair", "norfair-euclidean", "bytetrack", "sort", "filterpy")


def run_tracker(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure, print a table, and return the figures."""
    from rich.table import Table

    from ..benchmark.trackers import measure_trackers

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
        sentence = f"{name} is not installed, so it is not measured: {command}"
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return figures


def run_endurance(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure, print a table, and return the figures."""
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
