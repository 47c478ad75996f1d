"""`posetrack demo`: make a sample clip with real people and track it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import add_shared


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="try posetrack on a sample with real people",
        description="Make a short clip of a camera that pans over photographs of people, track it, and write the "
        "annotated video, the table and its sidecar.",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="posetrack-demo",
        help="folder for the results, which are replaced (default: %(default)s)",
    )
    add_shared(parser, "device")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the sample and track it."""
    from ..config.run import RunConfig
    from ..video.sample import make_sample
    from .run import track

    folder = Path(args.out)
    sample = make_sample(folder / "sample.mp4", overwrite=True)
    config = RunConfig.of(
        save=str(folder / "tracked.mp4"),
        csv=str(folder / "tracked.csv"),
        device=args.device,
        overwrite=True,
        offline=True,
    )
    return track(config, [str(sample)])
