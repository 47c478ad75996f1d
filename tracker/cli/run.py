"""The main job: `posetrack --source X`, and the same for every file of a folder."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import PosetrackError, UsageError
from ..config import RunConfig, read_recipe, recipes

if TYPE_CHECKING:
    from ..pipeline import Pipeline
    from ..video.batch import Item
    from ..video.source import Source

# field of RunConfig: (metavar, help)
_OPTIONS = {
    "source": ("X", "webcam index, video, picture, folder or glob of either, or stream address"),
    "save": ("FILE", "write the annotated video or picture (a folder, where the source is one)"),
    "csv": ("FILE", "write the keypoint table and FILE.json beside it (a folder, where the source is one)"),
    "show": (None, "open a window, as without --save and --csv; q ends the run"),
    "model": ("NAME", "pose network: a name of `posetrack models`, or a file of weights"),
    "detector": ("NAME", "person detector: bundled, a file of weights, a name such as yolo11n.pt, or a file of boxes"),
    "device": ("NAME", "auto, cpu, cuda, cuda:N or mps"),
    "conf": ("SCORE", "detections below this score are not looked at"),
    "max_people": ("N", "look at no more than N people a frame, the most certain first; 0 is everybody"),
    "detect_size": ("PIXELS", "longer side of the picture that the detector sees; 0 is the one that it learnt at"),
    "flip": (None, "average each pose with the mirrored crop's: a little better, twice the work"),
    "start": ("SECONDS", "begin so far into the source"),
    "end": ("SECONDS", "stop so far into the source"),
    "timeout": ("SECONDS", "wait no longer than this for a stream"),
    "overwrite": (None, "replace existing results"),
    "quiet": (None, "print nothing but errors"),
    "offline": (None, "never use the network"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the main job; one that is not given is absent, so that a recipe can fill it."""
    group = parser.add_argument_group("tracking")
    for field in dataclasses.fields(RunConfig):
        metavar, text = _OPTIONS[field.name]
        flag = "--" + field.name.replace("_", "-")
        if metavar is None:
            group.add_argument(
                flag, action="store_true", default=argparse.SUPPRESS, help=f"{text} (default: off)"
            )
            continue
        kind = {"int": int, "float": float}.get(str(field.type).removesuffix(" | None"), str)
        default = "none" if field.default in (None, "") else field.default
        group.add_argument(
            flag, metavar=metavar, type=kind, default=argparse.SUPPRESS, help=f"{text} (default: {default})"
        )
        if field.name == "csv":
            group.add_argument(
                "--config",
                metavar="RECIPE",
                default=argparse.SUPPRESS,
                help=f"{', '.join(recipes())}, or a TOML file; flags override it (default: none)",
            )


def run(args: argparse.Namespace) -> int:
    """Run the tracker as the command line asks."""
    given = {key: value for key, value in vars(args).items() if key in _OPTIONS}
    recipe = read_recipe(args.config) if "config" in args else {}
    config = RunConfig(**(recipe | given))
    if not config.source:
        raise UsageError("There is nothing to track. Add --source 0 for a webcam or --source FILE; see --help.")
    return track(config)


def track(config: RunConfig) -> int:
    """Track one source, or every file of a folder, and return the exit code."""
    from ..video.batch import expand

    items = expand(config.source)
    batch = items[0].relative is not None
    if not (config.save or config.csv):
        config = dataclasses.replace(config, show=True)
    if config.show:
        from ..output.window import check_display

        check_display()
    for item in items:
        _check_targets(_targets(config, item, batch=batch), overwrite=config.overwrite)

    pipeline = _load(config)
    failed = 0
    for item in items:
        pipeline.reset()
        try:
            stopped = _track_one(config, item, pipeline, batch=batch)
        except PosetrackError as error:
            if not batch:
                raise
            failed += 1
            sys.stderr.write(f"posetrack: {error}\n")
            continue
        if stopped:
            break
    if failed:
        sys.stderr.write(f"posetrack: {failed} of {len(items)} files failed; the others are done.\n")
    return 1 if failed else 0


def _load(config: RunConfig) -> Pipeline:
    from ..pipeline import load_pipeline

    return load_pipeline(
        config.model,
        config.detector,
        config.device,
        conf=config.conf,
        max_people=config.max_people,
        detect_size=config.detect_size,
        flip=config.flip,
        offline=config.offline,
    )
