"""`posetrack models`: list, download, describe and convert pose networks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...models.weights.variants import Variant

COLUMNS = ("name", "family", "input", "params", "GMACs", "AP", "licence", "cached")
FIGURES = ("params", "GMACs")
WIDTH = 100  # columns of a table in a file or a pipe, wide enough for every cell


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
    info = actions.add_parser("info", help="describe a network")
    info.add_argument("name", help="a name of the list")
    info.set_defaults(run=show_info)
    convert = actions.add_parser("convert", help="convert a checkpoint to safetensors")
    convert.add_argument("source", metavar="IN", help="checkpoint, or a name of the list")
    convert.add_argument("target", metavar="OUT", help="file that ends in .safetensors")
    convert.add_argument("--overwrite", action="store_true", help="replace an existing file (default: off)")
    convert.add_argument("--offline", action="store_true", help="never use the network (default: off)")
    convert.set_defaults(run=show_convert)


def show_list(args: argparse.Namespace) -> int:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    from ...models.weights.variants import PROTOCOL, ZOO

    table = Table(
        title="Pose networks",
        caption=f"GMACs: billions of multiply-accumulate operations per person. AP as published: {PROTOCOL}.",
        box=None,
        padding=(0, 1, 0, 0),
    )
    for column in COLUMNS:
        table.add_column(column, no_wrap=column == "name", justify="right" if column in FIGURES else "left")
    for known in ZOO.values():
        table.add_row(*_facts(known).values())
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    console.print(table)
    return 0


def _facts(known: Variant) -> dict[str, str]:
    from ...models.weights.locate import address, local

    height, width = known.input_size
    missing = "by hand" if address(known) is None else "no"
    facts = (
        *(known.name, known.family, f"{width}x{height}", f"{known.parameters:.1f} M", f"{known.gmacs:.1f}"),
        *(known.ap, known.licence, "yes" if local(known) else missing),
    )
    return dict(zip(COLUMNS, facts, strict=True))


def show_info(args: argparse.Namespace) -> int:
    """Print the facts of one network, and where its weights are or belong."""
    from rich.console import Console

    from ...models.weights.locate import address, local, place, variant
    from ...models.weights.variants import PROTOCOL

    known = variant(args.name)
    facts = _facts(known) | {"protocol": PROTOCOL, "page": known.page}
    url, path = address(known), local(known)
    if url:
        facts |= {"address": url, "sha256": known.sha256 or "not published; recorded when the file is first used"}
    fetch = f"`posetrack models download {known.name}`" if url else "download it from the page"
    facts["file"] = str(path) if path else f"not here; {fetch}, or put yours at {place(known)}"
    for key, value in facts.items():
        Console().print(f"{key:<11} {value}", highlight=False, markup=False, soft_wrap=True)
    return 0


def show_download(args: argparse.Namespace) -> int:
    """Fetch a network's weights and print where they are."""
    from rich.console import Console

    from ...models.weights.locate import locate_weights

    file = locate_weights(args.name, offline=args.offline)
    Console().print(f"{file.path}\nsha256 {file.sha256}", highlight=False, markup=False, soft_wrap=True)
    return 0


def show_convert(args: argparse.Namespace) -> int:
    """Read a checkpoint strictly and write its weights as safetensors in the original's names."""
    from safetensors.torch import save

    from ...errors import UsageError
    from ...models.weights.checkpoint import load_checkpoint, metadata
    from ...models.weights.locate import locate_weights
    from ..partial import PartialFile

    if Path(args.target).suffix != ".safetensors":
        raise UsageError(f"'{args.target}' does not end in .safetensors. Give such a name.")
    file = locate_weights(args.source, offline=args.offline)
    network = load_checkpoint(file.path, input_size=file.input_size)
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    with PartialFile(args.target, overwrite=args.overwrite) as file:
        file.write(save(state, metadata=metadata(network)))
    return 0
