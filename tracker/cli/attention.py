"""`posetrack attention`: draw the attention of a pose network, layer by layer."""

from __future__ import annotations

import argparse
from typing import Any

from .options import add_shared
from .results import print_files


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "attention",
        help="draw the attention maps of a pose network",
        description="For every layer of a pose network, draw which image regions the location of a keypoint depends "
        "on and which it affects, computed from self-attention as in TransPose.",
    )
    parser.add_argument("--image", required=True, metavar="FILE", help="image with a person")
    parser.add_argument(
        "--keypoint", default="nose", help="name of the keypoint, e.g. left_wrist (default: %(default)s)"
    )
    parser.add_argument(
        "--model",
        default="bundled",
        metavar="NAME|PATH",
        help="TransPose, ViTPose or the bundled network (default: %(default)s)",
    )
    parser.add_argument(
        "--dataset",
        default="coco",
        metavar="NAME",
        help="skeleton: coco, aic, mpii, ap10k, apt36k or wholebody (default: %(default)s)",
    )
    parser.add_argument(
        "--box",
        metavar="X1,Y1,X2,Y2",
        help="box of the person in pixels (default: the detection with the highest confidence)",
    )
    parser.add_argument("--out", default="attention.png", metavar="FILE", help="image to write (default: %(default)s)")
    add_shared(parser, "device", "overwrite")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw the figure and write it."""
    import difflib
    from pathlib import Path

    import cv2

    from ...errors import UsageError
    from ...models.attention.maps import attention_figure
    from ...models.geometry.skeletons import skeleton
    from ..partial import PartialFile, check_inputs, check_target
    from ..perception.device import resolve_device
    from ..perception.pose import read_pose_weights
    from ..video.images.image import read_image

    names = skeleton(args.dataset).keypoints
    if args.keypoint not in names:
        near = difflib.get_close_matches(args.keypoint, names, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"The names are {', '.join(names)}."
        raise UsageError(f"Keypoint '{args.keypoint}' is not known. {hint}")
    box = None if args.box is None else _box(args.box)
    out = Path(args.out)
    if not cv2.haveImageWriter(out.name):
        raise UsageError(f"--out is '{out}'; give the name of an image, e.g. attention.png.")
    check_inputs(out, args.image)
    check_target(out, overwrite=args.overwrite)
    image = read_image(Path(args.image))
    if box is None:
        box = _most_certain_person(image, args.image, device=args.device)

    device = resolve_device(args.device)
    figure = attention_figure(
        image,
        read_pose_weights(args.model, dataset=args.dataset).network.to(device),
        box=box,
        keypoint=args.keypoint,
        skeleton=skeleton(args.dataset),
        name=args.model,
    )
    with PartialFile(out, overwrite=args.overwrite) as file:
        file.write(cv2.imencode(out.suffix, figure)[1].tobytes())
    return print_files(out)


def _box(text: str) -> list[float]:
    from ...errors import UsageError

    try:
        x1, y1, x2, y2 = box = [float(value) for value in text.split(",")]
    except ValueError:
        raise UsageError(f"--box is '{text}'; give four numbers in pixels: X1,Y1,X2,Y2.") from None
    if not (x1 < x2 and y1 < y2):
        raise UsageError(f"--box is '{text}', which is empty. X1 must be left of X2 and Y1 above Y2.")
    return box


def _most_certain_person(image: Any, path: str, *, device: str) -> Any:
    from ...errors import SourceError
    from ..perception.detector import load_detector
    from ..types import Frame

    detections = load_detector("bundled", device=device, conf=0.25)(Frame(image, 0, 0.0))
    if len(detections) == 0:
        raise SourceError(f"The detector finds no person in '{path}'. Give the box of the person: --box X1,Y1,X2,Y2.")
    return detections.boxes[detections.scores.argmax()]
