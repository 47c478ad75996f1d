"""The main command: `posetrack SOURCE ...`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from itertools import chain

from ...errors import PosetrackError, UsageError
from ..config import TYPES, RunConfig, read_recipe


def run(args: argparse.Namespace) -> int:
    """Run the tracker with the options of the command line."""
    given = {key: value for key, value in vars(args).items() if key in TYPES}
    recipe = read_recipe(args.config) if "config" in args else {}
    options = recipe | given
    if options.get("refine") and "smooth" in options:
        raise UsageError(
            f"refine smooths by itself and has no use for smooth '{options['smooth']}'. Leave one of them out."
        )
    config = RunConfig.of(**options)
    sources = [*args.sources, *([given["source"]] if "source" in given else [])] or [config.source.source]
    if not all(sources):
        raise UsageError(
            "There is nothing to track. Name a FILE or a folder, or 0 for a webcam; see posetrack --help, or try "
            "posetrack demo."
        )
    return track(config, sources)


def track(config: RunConfig, sources: Sequence[str]) -> int:
    """Track every source, print errors and warnings, and return the exit code."""
    from rich.console import Console

    from ..batch.track import track as track_all
    from ..run.plan import make_plan

    if config.outputs.quiet:
        logging.getLogger("posetrack").setLevel(logging.WARNING)
    plan = make_plan(config, sources)
    failed = 0
    for message in chain(plan.refused, track_all(plan, console=Console(stderr=True))):
        failed += isinstance(message, PosetrackError)
        sys.stderr.write(f"posetrack: {message}\n")
    if failed:
        sys.stderr.write(f"posetrack: {failed} of {plan.total} files failed; the others are done.\n")
    return 1 if failed else 0
