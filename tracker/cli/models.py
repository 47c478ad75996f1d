"""`posetrack models`: the list of networks."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="list the pose networks that --model takes",
        description="List the pose networks that --model takes by name. A file of weights can be given instead.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    import torch
    from rich.console import Console
    from rich.table import Table

    from ...models.weights import cached
    from ...models.zoo import ZOO

    table = Table(title="Pose networks")
    for column in ("name", "family", "input", "parameters", "published", "licence", "here"):
        table.add_column(column, justify="right" if column == "parameters" else "left")
    for variant in ZOO.values():
        with torch.device("meta"):
            network = variant.build()
        height, width = network.input_size  # type: ignore[misc]  # every network declares it
        table.add_row(
            variant.name,
            variant.family,
            f"{width}x{height}",
            f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f} M",
            variant.published,
            variant.licence,
            "yes" if cached(variant.name) else "on the hub" if variant.hub else "by hand",
        )
    Console().print(table)
    return 0
