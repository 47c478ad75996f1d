"""`posetrack label`: label people for training with an ensemble of pose networks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import add_shared


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "label",
        help="label people for training with an ensemble of networks",
        description="Estimate the keypoints of annotated people with several networks, fuse them where they agree, and "
        "write COCO annotations with a weight per keypoint, for `posetrack train --labels`. Annotations whose "
        "label_source is gt, or is missing, stay as they are.",
    )
    parser.add_argument("--data", metavar="DIR", required=True, help="images and annotations, as for `posetrack train`")
    parser.add_argument("--out", metavar="FILE", required=True, help="annotation file to write: .json or .json.gz")
    parser.add_argument(
        "--teacher",
        metavar="NAME[@SIZE][:mirrored]",
        action="append",
        required=True,
        help="pose network; @SIZE: input size of a single-stage network, pixels; :mirrored: from the mirrored image; "
        "may be repeated",
    )
    add_shared(parser, "device", "offline", "overwrite")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the people, label them, write the annotations."""
    import gzip
    import json

    from rich.console import Console
    from rich.progress import track

    from ...errors import UsageError
    from ...models.training import data, ensemble
    from ...models.training.annotation_file import find_annotations
    from ..partial import PartialFile, check_inputs, check_target
    from ..perception.views import load_view

    out = Path(args.out)
    if not out.name.endswith((".json", ".json.gz")):
        raise UsageError(f"'{out}' does not end in .json or .json.gz. Give a name that does.")
    check_inputs(out, find_annotations(Path(args.data), split="train"))
    check_target(out, overwrite=args.overwrite)
    people, problems = data.read(Path(args.data), split="train")
    console = Console(stderr=True)
    for problem in problems:
        console.print(f"{args.data}: {problem}", highlight=False, markup=False, soft_wrap=True)
    views = [load_view(teacher, device=args.device, offline=args.offline) for teacher in args.teacher]

    old = data.people_annotations(people)
    annotations = [annotation for annotation in people.truth["annotations"] if annotation.get("iscrowd")]
    for row in track(range(len(people.names)), description="Label", console=console):
        annotations += ensemble.relabel_image(people, row, old, views)
    text = json.dumps(people.truth | {"annotations": annotations}).encode()
    with PartialFile(out, overwrite=args.overwrite) as file:
        file.write(gzip.compress(text) if out.suffix == ".gz" else text)
    labelled = sum(any(annotation["keypoints"][2::3]) for annotation in annotations)
    console.print(
        f"Wrote {out}: {labelled} of {len(annotations)} people have keypoints.", highlight=False, soft_wrap=True
    )
    return 0
