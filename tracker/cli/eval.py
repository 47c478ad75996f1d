"""`posetrack eval`: measure the detector and the pose network on annotated images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .json_option import add_json, check_json
from .options import add_shared
from .results import print_files

if TYPE_CHECKING:
    from rich.console import Console

    from ...models.evaluation.annotations import Dataset
    from ..evaluation.images import Evaluation

SOURCES = ("gt", "detector")  # of boxes; anything else is a file
LEAST_SCORE = 0.001  # of a network's detections; AP needs nearly all of them


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command to `posetrack`."""
    parser = subparsers.add_parser(
        "eval",
        help="evaluate a detector and a pose network on annotated images",
        description="Evaluate a person detector and a pose network by the protocol of COCO, OCHuman, CrowdPose or "
        "MPII; docs/evaluation.md explains where to get their files.",
    )
    parser.add_argument("--images", metavar="DIR", required=True, help="folder of the images")
    parser.add_argument(
        "--annotations", metavar="FILE", required=True, help=".json of COCO, OCHuman (COCO-style), CrowdPose or MPII"
    )
    parser.add_argument(
        "--boxes",
        metavar="gt|detector|FILE.json",
        default="gt",
        help="estimate poses in ground-truth boxes, in the detector's, or in those of a COCO results file; a "
        "single-stage network always takes its own (default: gt)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        default="bundled",
        help="pose network, by name or file; none measures boxes only (default: bundled)",
    )
    parser.add_argument(
        "--detector",
        metavar="NAME",
        help="detector by name or file; none measures poses only (default: bundled; none for MPII, or with a "
        "single-stage network)",
    )
    parser.add_argument(
        "--conf",
        metavar="SCORE",
        type=float,
        help=f"lowest confidence of a detection (default: {LEAST_SCORE} for a network, 0 for a file)",
    )
    parser.add_argument(
        "--detect-size", metavar="PIXELS", type=int, help="longer side of the detector's input in pixels"
    )
    add_shared(parser, "flip", "device", "runtime", "precision", "offline")
    add_json(parser)
    parser.add_argument(
        "--results", metavar="FILE.json", help="write poses as COCO results there, and boxes to FILE-boxes.json"
    )
    parser.add_argument("--save-errors", metavar="DIR", help="draw the worst poses, misses and false positives")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="number of each kind (default: 20)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write what was asked for."""
    from rich.console import Console
    from rich.progress import track

    from ...models.evaluation.annotations import dataset_of, read_annotations
    from ..evaluation.gallery import check_gallery, save_errors
    from ..evaluation.images import MOST_POSES, as_found, evaluate
    from ..evaluation.scores import print_scores, results_files, write_json
    from ..partial import check_inputs, check_target

    truth = read_annotations(args.annotations, keypoints=args.model != "none")
    dataset = dataset_of(truth)
    model, detector_name = _names(args, dataset)
    figures = Path(args.json) if args.json else None
    results = results_files(args.results, poses=model is not None, boxes=detector_name is not None)
    check_json(args)
    for target in results.values():
        check_inputs(target, args.annotations, args.boxes)
        check_target(target, overwrite=args.overwrite)
    if args.save_errors:
        check_gallery(args.save_errors, overwrite=args.overwrite)

    estimator, detector, family = _load(args, dataset, model, detector_name)
    single = estimator is not None and estimator is detector
    if single:
        args.boxes, detector_name = "detector", model
    console = Console(stderr=True, highlight=False)
    if args.boxes not in SOURCES:
        _compare_images(detector.indices, truth, console)
    run = evaluate(
        args.images,
        truth,
        as_found if single else estimator and estimator.of_frames,
        detector=detector,
        boxes="gt" if args.boxes == "gt" else "detector",
        most_poses=MOST_POSES if args.boxes == "detector" else None,
        progress=lambda images: track(images, "Measuring", console=console, transient=True),
        **family,
    )
    print_scores(run.tables, Console(), {"keypoints": f"{model}, {args.boxes} boxes", "boxes": str(detector_name)})
    if figures:
        write_json(_facts(args, run, estimator, detector), figures, overwrite=args.overwrite, indent=2)
    for kind, target in results.items():
        write_json({"poses": run.poses, "boxes": run.boxes}[kind], target, overwrite=args.overwrite)
    if args.save_errors:
        count = save_errors(run, args.images, args.save_errors, worst=args.worst)
        console.print(f"{count} error images are in '{args.save_errors}'.", markup=False, soft_wrap=True)
    return print_files(figures, *results.values())


def _names(args: argparse.Namespace, dataset: Dataset) -> tuple[str | None, str | None]:
    """Return what is to be loaded as the pose model and as the detector; None where none is needed."""
    from ...errors import UsageError
    from ...models.evaluation.annotations import MPII_LIKE

    if args.boxes not in SOURCES and not args.boxes.endswith(".json"):
        raise UsageError(f"Boxes '{args.boxes}' are not known; give gt, detector or a COCO results file, .json.")
    if args.boxes not in SOURCES and args.detector:
        raise UsageError(f"The boxes come from '{args.boxes}', so --detector has no effect. Leave one of them out.")
    if args.worst < 1:
        raise UsageError(f"--worst is {args.worst}; give 1 or more.")
    detector = args.detector or ("none" if dataset is MPII_LIKE else "bundled")
    if args.boxes not in SOURCES:
        detector = args.boxes
    if args.model == detector == "none":
        raise UsageError("There is nothing to measure. Name a --model or a --detector.")
    if args.save_errors and args.model == "none":
        raise UsageError("--save-errors draws poses; name a --model.")
    return (None if args.model == "none" else args.model), (None if detector == "none" else detector)


def _load(
    args: argparse.Namespace, dataset: Dataset, model: str | None, detector: str | None
) -> tuple[Any, Any, dict[str, Any]]:
    """Load both, a single-stage network as both, and say what the evaluation must know of the model's family."""
    from ...errors import UsageError
    from ...models.evaluation.annotations import MPII_LIKE
    from ...models.evaluation.mpii import square_regions
    from ...models.evaluation.protocol import protocol_of
    from ..perception.detector import load_detector
    from ..perception.pose import load_pose_estimator
    from ..perception.single_stage import SingleStagePoseEstimator

    where = {"device": args.device, "runtime": args.runtime, "precision": args.precision, "offline": args.offline}
    finder = estimator = None
    family: dict[str, Any] = {}
    if model:
        conf = LEAST_SCORE if args.conf is None else args.conf
        estimator = load_pose_estimator(
            model, dataset=dataset.name, **where, conf=conf, size=args.detect_size, flip=args.flip
        )
        family = {"protocol": protocol_of(estimator.family)}
        if isinstance(estimator, SingleStagePoseEstimator):
            if args.detector or args.boxes not in SOURCES:
                raise UsageError(
                    f"{model} finds people itself, so --detector and a file of boxes have no effect. Leave them out."
                )
            return estimator, estimator, family
        family["input_size"] = estimator.input_size
        if dataset is MPII_LIKE:
            estimator.processing = square_regions(estimator.processing)
    if detector:
        conf = LEAST_SCORE if args.conf is None and not detector.endswith((".json", ".txt")) else args.conf
        finder = load_detector(detector, **where, conf=conf, size=args.detect_size)
    return estimator, finder, family


def _compare_images(found: set[int], truth: dict[str, Any], console: Console) -> None:
    """Refuse boxes of other images; say how many there are where only some are."""
    from ...errors import UsageError

    known = {image["id"] for image in truth["images"]}
    if not found & known:
        raise UsageError("No box is of an annotated image: the image ids differ. Give boxes of the same data set.")
    if found - known:
        console.print(f"{len(found - known)} images of the boxes are not annotated; their boxes are left out.")
    if known - found:
        console.print(f"{len(known - found)} of the {len(known)} annotated images have no boxes.")


def _facts(args: argparse.Namespace, run: Evaluation, estimator: Any, detector: Any) -> dict[str, Any]:
    """Return the figures, and the protocol and networks that gave them."""
    from ...version import __version__

    networks = {"model": estimator, "detector": detector}
    return {
        **run.tables,
        "protocol": {
            "dataset": run.dataset.name,
            "annotations": args.annotations,
            "boxes": args.boxes,
            "flip": args.flip,
            **run.protocol,
        },
        **{kind: {"name": it.name, "sha256": it.sha256} for kind, it in networks.items() if it is not None},
        "counts": run.counts,
        "posetrack": __version__,
    }
