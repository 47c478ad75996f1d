"""`posetrack train`: train a pose network, or the bundled detector, on people in COCO's layout."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from .results import print_files

EXTRA = ("lightning_fabric", "tensorboard", "tomli_w")  # what training needs beyond running


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = commands.add_parser(
        "train",
        help="train a network on annotated people",
        description="Train a network by a recipe on people in COCO's layout; see docs/training.md.",
    )
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a recipe of configs/train, such as vitpose-s, or a .toml file"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        required=True,
        help="annotations/person_keypoints_*.json with images in folders, or annotations.json with files or .tar",
    )
    parser.add_argument(
        "--labels", metavar="FILE", help="annotation file in --data to use, such as that of `posetrack label`"
    )
    parser.add_argument("--val", metavar="DIR", help="validation set (default: that of --data, or a part of it)")
    parser.add_argument("--out", metavar="DIR", help="folder of the results (default: runs/RECIPE)")
    parser.add_argument("--cache", metavar="DIR", help="folder for decoded, reduced images; for small data sets")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="override a key of the recipe: optim.lr=1e-4"
    )
    parser.add_argument("--init", metavar="PATH", help="start from weights, a checkpoint of another run, or 'bundled'")
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run from last.pt in --out")
    parser.add_argument(
        "--device",
        metavar="NAME",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="auto, cpu, cuda or mps (default: auto)",
    )
    parser.add_argument(
        "--devices", metavar="N", type=int, default=1, help="number of devices on this machine (default: 1)"
    )
    parser.add_argument("--nodes", metavar="N", type=int, default=1, help="number of machines (default: 1)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Resolve the recipe, read the data, train."""
    from ...errors import UsageError
    from ...models.training import recipe_file

    recipe = recipe_file.read(args.recipe, args.set)
    out = Path(args.out or Path("runs") / Path(args.recipe).stem)
    if args.resume and args.init:
        raise UsageError("--resume continues a run and --init starts one; give one of them.")
    if missing := [name for name in EXTRA if importlib.util.find_spec(name) is None]:
        raise UsageError(f"Training needs {', '.join(missing)}. Run: pip install 'posetrack[train]'")
    from ...models.training.launch import train

    metrics = train(
        recipe,
        data=Path(args.data),
        val=Path(args.val) if args.val else None,
        out=out,
        labels=Path(args.labels) if args.labels else None,
        cache=Path(args.cache) if args.cache else None,
        init=args.init,
        resume=args.resume,
        device=args.device,
        devices=args.devices,
        nodes=args.nodes,
        show=not args.quiet,
    )
    return print_files(out / "model.safetensors" if metrics else None)  # the first process validates
