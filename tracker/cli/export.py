"""`posetrack export`: write a network as OpenVINO, ONNX or TorchScript."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import add_shared

SUFFIXES = {"openvino": ".xml", "onnx": ".onnx", "torchscript": ".torchscript"}


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="write a network as ONNX, OpenVINO or TorchScript",
        description="Write a pose network or a detector for other programs. --model and --detector read OpenVINO and "
        "ONNX files, which contain the input size, family, keypoints and SHA-256 of the weights. --int8 quantizes a "
        "pose network to eight bits and compares it with the full-precision one on crops of people; it is written "
        "only if both agree. If it is also faster here, --runtime auto selects it on CPUs with VNNI.",
    )
    parser.add_argument("name", nargs="?", help="pose network: a name of `posetrack models`, or a file of weights")
    parser.add_argument(
        "--detector", metavar="NAME", help="export a detector instead: bundled, a file, or a known name"
    )
    parser.add_argument("--to", choices=SUFFIXES, required=True, help="format; OpenVINO's is .xml and .bin")
    parser.add_argument("--half", action="store_true", help="store weights in half precision")
    parser.add_argument("--int8", action="store_true", help="quantise a pose network to 8 bits")
    parser.add_argument(
        "--calibrate",
        metavar="VIDEO|FOLDER",
        help="images of people to calibrate --int8 with (default: the sample of `posetrack demo`)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="file to write (default: the name, with the suffix of the format)"
    )
    add_shared(parser, "offline", "overwrite")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the weights and write the file."""
    from rich.console import Console

    from ...errors import UsageError
    from ..partial import Transaction, check_target, scratch_folder

    if (args.name is None) == (args.detector is None):
        raise UsageError("Give one network: the name of a pose network, or --detector NAME.")
    name, suffix = args.name or args.detector, SUFFIXES[args.to]
    stem = f"{Path(name).stem}-detector" if args.detector == "bundled" else Path(name).stem
    if args.int8:
        if args.detector or args.to != "openvino" or args.half:
            raise UsageError("--int8 is for pose networks, --to openvino, and without --half.")
        stem += "-int8"
    elif args.calibrate:
        raise UsageError("--calibrate is for --int8. Give both, or none.")
    target = Path(args.out or f"{stem}{suffix}")
    if target.suffix != suffix:
        raise UsageError(f"'{target}' does not end in {suffix}. Give a name that does.")
    targets = [target, target.with_suffix(".bin")] if suffix == ".xml" else [target]
    for file in targets:
        check_target(file, overwrite=args.overwrite)

    with Transaction() as results:
        folder = scratch_folder(target)
        results.scratch(folder)
        (_write_int8 if args.int8 else _write)(args, folder / target.name)
        for file in targets:
            results.rename(folder / file.name, file)
    for file in targets:
        Console().print(f"{file} ({file.stat().st_size / 1e6:.1f} MB)", highlight=False, markup=False, soft_wrap=True)
    return 0


def _write(args: argparse.Namespace, path: Path) -> None:
    from ...models.export import files
    from ..perception.detector import find, read_detector_weights
    from ..perception.pose import read_pose_weights

    if args.detector:
        weights = read_detector_weights(find(args.detector, offline=args.offline))
    else:
        weights = read_pose_weights(args.name, offline=args.offline)
    files.write(weights.network, path, weights.card, half=args.half)


def _write_int8(args: argparse.Namespace, path: Path) -> None:
    """Quantize the network, and print its agreement and speed."""
    from rich.console import Console

    from ...errors import UsageError
    from ...models.weights.card import PoseCard
    from ..perception.detector import load_detector
    from ..perception.pose import read_pose_weights
    from ..perception.quantization import make_int8, people_crops
    from ..perception.runtimes.load import network_key
    from ..video.evenly_spaced import evenly_spaced_frames
    from ..video.sample import make_sample

    weights = read_pose_weights(args.name, offline=args.offline)
    if not isinstance(weights.card, PoseCard):
        raise UsageError(f"--int8 is for top-down pose networks; {args.name} is a single-stage one. Leave it out.")
    source = args.calibrate or make_sample(path.with_name("sample.mp4"))
    detector = load_detector(device="cpu", conf=0.4, offline=True)
    crops = people_crops(evenly_spaced_frames(source), detector, weights.card)
    agreement, speed = make_int8(network_key("pose", args.name), lambda: weights, crops, path)
    then = "takes it where the processor has VNNI" if speed.is_worthwhile else f"stays with {speed.precision}"
    Console().print(
        f"int8 agrees with fp32: OKS {agreement.oks:.4f}, median shift {agreement.shift:.2f} % of the height, "
        f"{agreement.keypoints} keypoints of {agreement.people} held-out crops.\n"
        f"A crop takes {speed.int8:.1f} ms, and {speed.exact:.1f} in {speed.precision}: --runtime auto {then}.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
