"""`posetrack models`: list, download, describe and convert networks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .json_option import add_json, check_json, write_json
from .limits import TABLES
from .options import add_shared

if TYPE_CHECKING:
    from ...models.foreign.families import Family
    from ...models.weights.published_detectors import PublishedDetector
    from ...models.weights.variants import Variant

COLUMNS = ("name", "family", "input", "params", "GMACs", "AP", "licence", "cached")
FIGURES = ("params", "GMACs")
CARD = "MODEL_CARD.md"  # beside the bundled weights
WHOLE = ("name", "licence")
WIDTH = 100  # columns of a table in a file or a pipe, wide enough for every cell; below, `models info` has the input


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="list the networks that --model and --detector take; download, describe or convert one",
        description="Without an action, list the pose networks that --model takes by name, the person detectors that "
        "--detector takes, and the families of ONNX files that both take. A file of weights can be given instead.",
    )
    add_json(parser)
    parser.set_defaults(run=show_list, memory=TABLES)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    text = "download the weights of a network into the cache"
    download = actions.add_parser("download", help=text, description=f"{text.capitalize()}.")
    download.add_argument(
        "name", metavar="NAME", help="a name of the list, or recommended: a pose network and a detector for auto"
    )
    add_shared(download, "offline")
    download.set_defaults(run=show_download)
    text = "describe a network; bundled stands for both bundled networks"
    info = actions.add_parser("info", help=text, description=f"{text.capitalize()}.")
    info.add_argument("name", metavar="NAME", help="a name of the list, or a file, which is recognised by its contents")
    add_json(info)
    info.set_defaults(run=show_info)
    text = "convert a checkpoint to safetensors"
    convert = actions.add_parser("convert", help=text, description=f"{text.capitalize()}.")
    convert.add_argument("source", metavar="NAME", help="checkpoint, or a name of the list")
    convert.add_argument("--out", metavar="FILE", required=True, help="file to write, .safetensors")
    add_shared(convert, "offline", "overwrite")
    convert.set_defaults(run=show_convert)


def show_list(args: argparse.Namespace) -> int:
    """Print tables of the pose networks, the detectors and the families of ONNX files."""
    from ...models.foreign import families
    from ...models.weights import published_detectors
    from ...models.weights.variants import PROTOCOL, ZOO

    check_json(args)
    networks = [_facts(known) for known in ZOO.values()]
    detectors = [_detector_facts(detector) for detector in published_detectors.DETECTORS.values()]
    foreign = [_family_facts(family) for family in families.FAMILIES]
    write_json(args, {"model": networks, "detector": detectors, "onnx": foreign})
    caption = (
        f"GMACs: billions of multiply-accumulate operations per person, or per image. AP as published: {PROTOCOL}."
    )
    _print_table("Pose networks (--model)", networks, caption)
    more = "Any other YOLO of Ultralytics or RT-DETR of the hub works by its name, too."
    _print_table("Person detectors (--detector)", detectors, f"AP as published: {published_detectors.PROTOCOL}. {more}")
    caption = (
        f"Params (millions), GMACs and AP as published, {families.PROTOCOL}; - if not. `posetrack models info FILE` "
        "recognises a file."
    )
    _print_table("ONNX files of other projects", foreign, caption)
    return 0


def _print_table(title: str, rows: list[dict[str, str]], caption: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    columns = [column for column in rows[0] if column != "input" or console.width >= WIDTH]
    table = Table(title=title, caption=caption, box=None, padding=(0, 1, 0, 0))
    for column in columns:
        justify: Any = "right" if column in FIGURES else "left"
        table.add_column(column, no_wrap=column in WHOLE, overflow="fold", justify=justify)
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    console.print(table)


def _facts(known: Variant) -> dict[str, str]:
    from ...models.weights.locate import address, local

    height, width = known.input_size
    missing = "by hand" if address(known) is None else "no"
    name = f"{known.name} (bundled)" if known.bundled else known.name
    facts = (
        *(name, known.family, f"{width}x{height}", f"{known.parameters:.1f} M", f"{known.gmacs:.1f}"),
        *("see card" if known.bundled else known.ap, known.licence, "yes" if local(known) else missing),
    )
    return dict(zip(COLUMNS, facts, strict=True))


def _detector_facts(detector: PublishedDetector) -> dict[str, str]:
    from ...models.weights.published_detectors import local_detector

    return {
        "name": detector.name,
        "family": detector.family,
        "input": str(detector.size),
        "params": f"{detector.parameters:.1f} M",
        "GMACs": f"{detector.gmacs:.1f}",
        "AP": detector.ap,
        "licence": detector.licence,
        "cached": "yes" if local_detector(detector) else "no",
    }


def _family_facts(family: Family) -> dict[str, str]:
    return {
        "family": family.name,
        "task": family.task,
        "option": family.flag,
        "exported by": family.exporter,
        "params": family.parameters,
        "GMACs": family.gmacs,
        "AP": family.ap,
        "licence": family.licence,
    }


def show_info(args: argparse.Namespace) -> int:
    """Print the facts of a network, and where its weights are or belong; of both networks for `bundled`."""
    from ...models.weights.locate import variant
    from ...models.weights.published_detectors import DETECTORS

    check_json(args)
    networks = []
    if Path(args.name).is_file():
        networks.append(_file_info(Path(args.name)))
    else:
        detector = DETECTORS.get(args.name)
        if detector is None or args.name == "bundled":
            networks.append({"network": "pose network", **_pose_info(variant(args.name))})
        if detector:
            networks.append({"network": "person detector", **_detector_info(detector)})
    for facts in networks:
        _print_facts(facts)
    write_json(args, networks)
    return 0


def _pose_info(known: Variant) -> dict[str, str]:
    from ...models.weights.locate import address, local, place
    from ...models.weights.variants import PROTOCOL

    facts, url, path = _facts(known), address(known), local(known)
    if known.bundled and path:
        return facts | {"card": str(path.with_name(CARD)), "file": str(path)}
    facts |= {"protocol": PROTOCOL, "page": known.page}
    if url:
        facts |= {"address": url, "sha256": known.sha256 or "not published; recorded when the file is first used"}
    fetch = f"`posetrack models download {known.name}`" if url else "download it from the page"
    return facts | {"file": str(path) if path else f"not here; {fetch}, or put yours at {place(known)}"}


def _detector_info(detector: PublishedDetector) -> dict[str, str]:
    from ...models.cache import cache_folder
    from ...models.weights.published_detectors import PROTOCOL, local_detector

    facts, path = _detector_facts(detector), local_detector(detector)
    if detector.name == "bundled" and path:
        return facts | {"card": str(path.with_name(CARD)), "file": str(path)}
    where = "not here; it is fetched at first use"
    if detector.name.endswith(".pt"):
        where += f", or put yours at {cache_folder() / 'ultralytics' / detector.name}"
    return facts | {"protocol": PROTOCOL, "file": str(path or where)}


def _file_info(path: Path) -> dict[str, str]:
    """Return what a file was recognised as."""
    from ...models.geometry.skeletons import skeleton
    from ...models.weights.card import DetectorCard, PoseCard, SingleStageCard, kind_of
    from ..perception.recognise import recognise_file

    card = recognise_file(path)
    size = f"{card.input_size[1]}x{card.input_size[0]}" if card.input_size else "any"
    if isinstance(card, DetectorCard) and not card.input_size:
        size += f", trained with {card.size}"
    facts = {"network": kind_of(card), "option": "--detector", "family": card.family, "input": size}
    if isinstance(card, PoseCard | SingleStageCard):
        facts |= {"option": "--model", "keypoints": f"{len(skeleton(card.skeleton))}, {card.skeleton}"}
    return facts | {"sha256": card.sha256, "file": str(path)}


def _print_facts(facts: dict[str, str]) -> None:
    from rich.console import Console

    for key, value in facts.items():
        Console().print(f"{key:<11} {value}", highlight=False, markup=False, soft_wrap=True)


def show_download(args: argparse.Namespace) -> int:
    """Fetch a network's weights and print where they are; for `recommended`, those of a pose network and a detector."""
    from rich.console import Console

    from ...models.cache import sha256
    from ...models.weights.locate import locate_weights
    from ...models.weights.recommended import RECOMMENDED

    for name in RECOMMENDED if args.name == "recommended" else [args.name]:
        if name.endswith(".pt"):
            from ...models.weights.detector_files import locate_detector  # loads torch

            path = locate_detector(name, offline=args.offline)
        else:
            path = locate_weights(name, offline=args.offline).path
        Console().print(f"{path}\nsha256 {sha256(path)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def show_convert(args: argparse.Namespace) -> int:
    """Read a checkpoint strictly and write its weights as safetensors in the original's names."""
    from safetensors.torch import save

    from ...errors import UsageError
    from ...models.weights.checkpoint import load_checkpoint, metadata
    from ...models.weights.locate import locate_weights
    from ..partial import PartialFile, check_inputs

    if Path(args.out).suffix != ".safetensors":
        raise UsageError(f"'{args.out}' does not end in .safetensors. Give a name that does.")
    source = locate_weights(args.source, offline=args.offline)
    check_inputs(Path(args.out), source.path)
    network = load_checkpoint(source.path, input_size=source.input_size)
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    with PartialFile(args.out, overwrite=args.overwrite) as file:
        file.write(save(state, metadata=metadata(network)))
    return 0
