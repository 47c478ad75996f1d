"""The main job: `posetrack --source X`, and the same for every file of a folder."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import PosetrackError, UsageError
from ..config import RunConfig, read_recipe
from .options import OPTIONS, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..pipeline import Pipeline
    from ..video.source import Source


def run(args: argparse.Namespace) -> int:
    """Run the tracker as the command line asks."""
    given = {key: value for key, value in vars(args).items() if key in OPTIONS}
    recipe = read_recipe(args.config) if "config" in args else {}
    asked = recipe | given
    if asked.get("refine") and "smooth" in asked:
        raise UsageError(
            f"refine smooths by itself and has no use for smooth '{asked['smooth']}'. Leave one of them out."
        )
    config = RunConfig(**asked)
    if not config.source:
        raise UsageError("There is nothing to track. Add --source 0 for a webcam or --source FILE; see --help.")
    return track(config)


def track(config: RunConfig) -> int:
    """Track one source, or every file of a folder, and return the exit code."""
    from ..video.batch import expand
    from .outputs import check_targets, targets_of

    if config.quiet:
        logging.getLogger("posetrack").setLevel(logging.WARNING)
    items = expand(config.source)
    batch = isinstance(items[0].source, Path) and items[0].source != Path(config.source)
    if not any(getattr(config, output) for output in OUTPUTS):
        config = dataclasses.replace(config, show=True)
    if config.repetitions:
        from ..features.repetitions import from_config

        from_config(config.repetitions)  # a wrong one is told before anything is loaded
    hides = [f"--{flag.replace('_', '-')}" for flag in ("blur_faces", "skeleton_only") if getattr(config, flag)]
    if hides and not (config.save or config.show):
        raise UsageError(f"{hides[0]} changes pictures, and none is asked for. Add --save or --show, or leave it out.")
    if config.show:
        from ..output.window import check_display

        check_display()
    jobs = [(item.source, targets_of(config, item, batch=batch)) for item in items]
    for source, targets in jobs:
        check_targets(source, targets, overwrite=config.overwrite)

    pipeline = _load(config, live=not isinstance(items[0].source, Path))
    failed = 0
    for source, targets in jobs:
        pipeline.reset()
        try:
            _track_one(config, source, targets, pipeline)
        except PosetrackError as error:
            if not batch:
                raise
            failed += 1
            sys.stderr.write(f"posetrack: {error}\n")
    if failed:
        sys.stderr.write(f"posetrack: {failed} of {len(jobs)} files failed; the others are done.\n")
    return 1 if failed else 0


def _load(config: RunConfig, *, live: bool) -> Pipeline:
    from ..pipeline import load_pipeline
    from ..stages import streams

    return load_pipeline(
        config.model,
        config.detector,
        config.device,
        dataset=config.dataset,
        runtime=config.runtime,
        precision=config.precision,
        conf=config.conf,
        max_people=config.max_people,
        detect_size=config.detect_size,
        flip=config.flip,
        smooth="none" if config.refine else config.smooth,
        camera=config.camera,
        detect_every=config.detect_every,
        pose_every=config.pose_every,
        streams=streams(live=live),
        offline=config.offline,
    )


def _track_one(config: RunConfig, source: Any, targets: dict[str, Path], pipeline: Pipeline) -> None:
    from rich.console import Console

    from ..formats.sink import working_table
    from ..loop import loop
    from ..output.sidecar import document, write_sidecar
    from ..output.summary import progress, summary_table
    from ..output.twice import Twice
    from ..timings import Timings
    from ..video.source import open_source
    from . import facts
    from .outputs import looks_twice, report_of, selection, sinks_of, written

    pipeline.timings = timings = Timings()
    pipeline.looks.clear()
    console = Console(stderr=True)
    opened = partial(
        open_source,
        source,
        start=config.start,
        end=config.end,
        timeout=config.timeout,
        reconnect=config.reconnect,
    )
    with opened() as frames:
        if frames.live and (option := looks_twice(config)):
            raise UsageError(f"'{frames.name}' is live and cannot be looked at a second time. Leave {option} out.")
        if not config.quiet:
            facts.announce(pipeline)
        shown = partial(progress, total=frames.frame_count, quiet=config.quiet, console=console)
        report = report_of(config, frames, targets, pipeline)
        select = selection(config)
        complete, outputs = False, sinks_of(config, frames, targets, pipeline, select=select, report=report)
        try:
            with outputs as sinks:
                with shown(label=frames.name) as step:
                    step = _keeping_up(step, frames, pipeline, config.target_fps)
                    loop(frames, pipeline, sinks, step, threads=_side_by_side(pipeline))
                if isinstance(sinks, Twice):
                    with opened() as again, shown(label="Again") as step:
                        sinks.look_again(again, step)
            complete = True
        finally:
            refined = config.refine and isinstance(outputs, Twice) and outputs.done
            told = facts.run_facts(config, frames, pipeline, complete=complete, refined=refined)
            if "csv" in targets:
                write_sidecar(targets["csv"] if complete else working_table(targets["csv"]), told)
            if report:
                report.save(document(told), complete=complete)
        counts = facts.counts(frames)
    if select.unmet:
        sys.stderr.write(f"posetrack: {select.unmet}\n")
    if not config.quiet:
        files = written(targets)
        gaps = [gap.end - gap.start for gap in frames.gaps]
        device = pipeline.estimator.network.device
        looks = {str(look): count for look, count in pipeline.looks.items()} if pipeline.schedule.skips else {}
        console.print(summary_table(timings, device=device, files=files, counts=counts, looks=looks, gaps=gaps))


def _keeping_up(step: Callable[[int], None], frames: Source, pipeline: Pipeline, fps: float) -> Callable[[int], None]:
    """Return `step`; with a live source whose schedule may change, it changes it so that the rate is kept, too."""
    from ..pace import Pace

    if not (frames.live and pipeline.schedule.adapts):
        return step
    pace = Pace(pipeline.schedule, fps=fps or frames.fps or 30.0)

    def both(people: int) -> None:
        step(people)
        pace(frames.frames_dropped)

    return both


def _side_by_side(pipeline: Pipeline) -> bool:
    """Tell whether threads pay."""
    from ..perception.runtimes.machine import cores

    # torch on a processor uses all cores by itself, and its many small steps hold the interpreter: with two networks at
    # once it had 0.7 times the speed on two cores, where OpenVINO, a single long step, had 1.4 times
    network = pipeline.estimator.network
    return cores() > 1 and not (network.name == "torch" and network.device.startswith("cpu"))
