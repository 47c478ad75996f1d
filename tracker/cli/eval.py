"""`posetrack eval`: how good the detector and the pose model are on annotated pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = {"keypoints": "Keypoints", "boxes": "Person boxes"}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = subparsers.add_parser(
        "eval",
        help="measure a detector and a pose model on annotated pictures",
        description="Measure a person detector and a pose model on pictures with COCO annotations: AP and AR.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--images", metavar="DIR", required=True, help="folder of the pictures")
    parser.add_argument("--annotations", metavar="FILE", required=True, help="COCO keypoint annotations, .json")
    parser.add_argument(
        "--boxes", choices=("gt", "detector"), default="gt", help="estimate poses in the true boxes or in those found"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--model", default="bundled", help="pose model by name or file; none measures boxes only")
    parser.add_argument(
        "--detector", default="bundled", help="detector by name or file, or a file of boxes; none measures poses only"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--conf", type=float, default=0.001, help="least score of a detection; AP wants nearly all")
    parser.add_argument("--detect-size", type=int, help="pixels of the picture's longer side for the detector")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing --json file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the figures."""
    from rich.console import Console
    from rich.progress import track

    from ...errors import OutputError, UsageError
    from ..evaluation import evaluate
    from ..perception.detector import load_detector
    from ..perception.pose import load_pose_estimator

    if args.model == args.detector == "none":
        raise UsageError("Neither a model nor a detector is to be measured; name one.")
    target = Path(args.json) if args.json else None
    if target and target.exists() and not args.overwrite:
        raise OutputError(f"'{target}' exists. Add --overwrite, or give another --json.")

    device, offline = args.device, args.offline
    estimator = None if args.model == "none" else load_pose_estimator(args.model, device=device, offline=offline)
    detector = None
    if args.detector != "none":
        detector = load_detector(args.detector, device=device, conf=args.conf, size=args.detect_size, offline=offline)
    errors = Console(stderr=True)
    tables = evaluate(
        args.images,
        args.annotations,
        estimator,
        detector=detector,
        boxes=args.boxes,
        progress=lambda pictures: track(pictures, "Measuring", console=errors, transient=True),
    )
    show(tables, Console(), titles={"keypoints": f"{args.model}, {args.boxes} boxes", "boxes": args.detector})
    if target:
        write(tables, target)
    return 0


def show(tables: dict[str, dict[str, float]], console: Console, titles: dict[str, str]) -> None:
    """Print each table as one line of figures; a dash where there is nobody to measure."""
    from rich.table import Table

    for part, figures in tables.items():
        title = f"{COLUMNS[part]} ({titles[part]})"
        table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))  # 12 figures in 80 letters
        for name in figures:
            table.add_column(name, justify="right")
        table.add_row(*("-" if value < 0 else f"{value:.3f}" for value in figures.values()))
        console.print(table)


def write(tables: dict[str, dict[str, float]], target: Path) -> None:
    """Write the figures as JSON; the file has its name only when it is complete."""
    from ...errors import OutputError

    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.write_text(json.dumps(tables, indent=2) + "\n", encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write '{target}': {error.strerror}. Check the folder and its free space.") from error
