"""The main job: `posetrack --source X`, and the same for every file of a folder."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import OutputError, PosetrackError, UsageError
from ..config import RunConfig, read_recipe
from .options import OPTIONS, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..pipeline import Pipeline
    from ..video.source import Source


log = logging.getLogger("posetrack")


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
    sources = [*args.sources, *([given["source"]] if "source" in given else [])] or [config.source]
    if not all(sources):
        raise UsageError("There is nothing to track. Name a FILE or a folder, or 0 for a webcam; see posetrack --help.")
    return track(dataclasses.replace(config, source=" ".join(sources)), sources)


def track(config: RunConfig, sources: Sequence[str] = ()) -> int:
    """Track one source, or every file of a folder or of several sources, and return the exit code.

    Args:
        config: what to do.
        sources: those of `config` when left out.
    """
    from ..video.batch import gather
    from .outputs import targets_of

    if config.quiet:
        logging.getLogger("posetrack").setLevel(logging.WARNING)
    folders = [Path(folder) for output in OUTPUTS if (folder := getattr(config, output))]
    batch = gather(sources or [config.source], results=folders, fps=config.fps)
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
    if left_out := batch.report():
        log.info(left_out)
    wanted = {item.source: targets_of(config, item, batch=batch.many) for item in batch.items}
    jobs, failed = _jobs(config, wanted, many=batch.many)
    pipeline = _load(config, live=not all(isinstance(source, Path) for source in jobs)) if jobs else None
    for source, (targets, overwrite) in jobs.items():
        assert pipeline is not None
        try:
            once = dataclasses.replace(config, overwrite=overwrite, skip_existing=False)
            _track_one(once, source, targets, pipeline.session())
        except PosetrackError as error:
            if not batch.many:
                raise
            failed += 1
            sys.stderr.write(f"posetrack: {error}\n")
    if failed:
        sys.stderr.write(f"posetrack: {failed} of {len(wanted)} files failed; the others are done.\n")
    return 1 if failed else 0


def _jobs(config: RunConfig, wanted: dict[Any, dict[str, Path]], *, many: bool) -> tuple[dict[Any, Any], int]:
    """Decide about every source before anything is loaded.

    Args:
        config: of the run.
        wanted: the targets of each source.
        many: whether one that is refused leaves the others be.

    Returns:
        The targets of each source that is to be tracked, and whether they may replace what is there; how many sources
        were refused.
    """
    from ..output.finished import finished, known, there
    from .outputs import check_targets

    jobs, refused = {}, 0
    for source, targets in wanted.items():
        overwrite = config.overwrite
        if config.skip_existing and targets:
            done = {output: finished(output, path) for output, path in targets.items()}
            if all(done.values()):
                log.info("Skipped '%s': its results are complete.", source)
                continue
            overwrite = True  # of a run that was stopped between two results, which are done again
        try:
            for output, path in targets.items() if config.skip_existing else ():
                if there(output, path) and not known(output, path):
                    raise OutputError(
                        f"'{path}' exists already and is no result that is known. Move it to another place."
                    )
            check_targets(source, targets, overwrite=overwrite)
        except OutputError as error:
            if not many:
                raise
            refused += 1
            sys.stderr.write(f"posetrack: {error}\n")
        else:
            jobs[source] = targets, overwrite
    return jobs, refused


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
    from ..video.source import open_source
    from . import facts
    from .outputs import looks_twice, report_of, selection, sinks_of, written

    timings = pipeline.timings
    console = Console(stderr=True)
    opened = partial(
        open_source,
        source,
        stream=config.stream,
        fps=config.fps,
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
