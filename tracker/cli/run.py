"""The main command: `posetrack SOURCE ...`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PosetrackError, UsageError
from ...models.cache import cache_folder
from ..config.networks import Networks
from ..config.recipe import read_recipe
from ..config.run import TYPES, RunConfig
from ..partial import check_inputs

if TYPE_CHECKING:
    from rich.console import Console


def run(args: argparse.Namespace) -> int:
    """Run the tracker with the options of the command line."""
    given = {key: value for key, value in vars(args).items() if key in TYPES}
    recipe = read_recipe(args.config) if "config" in args else {}
    options = recipe | given
    if options.get("refine") and "smooth" in options:
        raise UsageError(
            f"refine smooths the tracks itself and does not use smooth '{options['smooth']}'. Leave one of them out."
        )
    config = RunConfig.of(**options)
    for path in config.outputs.files.values():
        check_inputs(Path(path), getattr(args, "config", None))
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
    plan, console = make_plan(config, sources), Console(stderr=True)
    failed = 0
    for message in chain(plan.refused, track_all(plan, console=console)):
        failed += isinstance(message, PosetrackError)
        sys.stderr.write(f"posetrack: {message}\n")
    if plan.jobs and not plan.quiet:
        _suggest(config.networks, console)
    if failed:
        rest = "; the others are done" if failed < plan.total else ""
        sys.stderr.write(f"posetrack: {failed} of {plan.total} sources failed{rest}.\n")
    return 1 if failed else 0


def _suggest(networks: Networks, console: Console) -> None:
    """Name better networks after the first run with the bundled ones on this machine."""
    marker = cache_folder() / "suggested"
    if networks.model != "bundled" or networks.detector != "bundled" or marker.exists():
        return
    with suppress(OSError):  # a cache that cannot be written: no suggestion in every run
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        text = "More accurate, slower: posetrack models download recommended, then --model auto --detector auto"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
