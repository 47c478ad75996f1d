"""`posetrack models`: the list of networks, and what can be done with one of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="list the pose networks that --model takes, fetch or convert one",
        description="List the pose networks that --model takes by name. A file of weights can be given instead.",
    )
    parser.set_defaults(run=show_list)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    download = actions.add_parser("download", help="fetch the weights of a network into the cache")
    download.add_argument("name", help="a name of the list")
    download.add_argument("--offline", action="store_true", help="never use the network (default: off)")
    download.set_defaults(run=show_download)
    info = actions.add_parser("info", help="tell what is known of a network")
    info.add_argument("name", help="a name of the list")
    info.set_defaults(run=show_info)
    convert = actions.add_parser("convert", help="turn any checkpoint that posetrack reads into safetensors")
    convert.add_argument("source", metavar="IN", help="checkpoint")
    convert.add_argument("target", metavar="OUT", help="file that ends in .safetensors")
    convert.add_argument("--overwrite", action="store_true", help="replace an existing file (default: off)")
    convert.set_defaults(run=show_convert)


def show_list(args: argparse.Namespace) -> int:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    from ...models.zoo import ZOO

    table = Table(title="Pose networks")
    for column in ("name", "family", "input", "parameters", "published", "licence", "here"):
        table.add_column(column, justify="right" if column == "parameters" else "left")
    for name in ZOO:
        table.add_row(name, *_facts(name).values())
    Console().print(table)
    return 0


def _facts(name: str) -> dict[str, str]:
    import torch

    from ...models.find import cached
    from ...models.zoo import ZOO

    variant = ZOO[name]
    with torch.device("meta"):
        network = variant.build()
    height, width = network.input_size  # type: ignore[misc]  # every network declares it
    return {
        "family": variant.family,
        "input": f"{width}x{height}",
        "parameters": f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f} M",
        "published": variant.published,
        "licence": variant.licence,
        "here": "yes" if cached(name) else "on the hub" if variant.hub else "by hand",
    }


def show_info(args: argparse.Namespace) -> int:
    """Print what is known of one network."""
    from rich.console import Console

    from ...models.find import variant

    found = variant(args.name)
    facts = {"name": found.name} | _facts(found.name)
    if found.hub:
        facts["hub"] = "/".join(found.hub)
    if found.page:
        facts["page"] = found.url or found.page
    for key, value in facts.items():
        Console().print(f"{key:<11} {value}", highlight=False, markup=False)
    return 0


def show_download(args: argparse.Namespace) -> int:
    """Fetch a network's weights and print where they are."""
    from rich.console import Console

    from ...models.cache import sha256
    from ...models.find import find

    path = find(args.name, offline=args.offline)
    Console().print(f"{path}\nsha256 {sha256(path)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def show_convert(args: argparse.Namespace) -> int:
    """Read a checkpoint strictly and write its weights as safetensors in the original's names."""
    from safetensors.torch import save

    from ...errors import UsageError
    from ...models.weights import load_checkpoint
    from ..partial import PartialFile

    if Path(args.target).suffix != ".safetensors":
        raise UsageError(f"'{args.target}' does not end in .safetensors. Give such a name.")
    with PartialFile(args.target, overwrite=args.overwrite) as file:
        file.write(save({key: value.contiguous() for key, value in load_checkpoint(args.source).state_dict().items()}))
    return 0
