"""The main job: `posetrack --source X`, and the same for every file of a folder."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import PosetrackError, UsageError
from ..config import RunConfig, read_recipe, recipes

if TYPE_CHECKING:
    from ...models.keypoints import Skeleton
    from ..features.events import EventDetector
    from ..features.stream import ActionFeatures
    from ..output.sinks import Sinks
    from ..output.twice import Table, Twice
    from ..pipeline import Pipeline
    from ..video.batch import Item
    from ..video.source import Source

OUTPUTS = ("save", "csv", "features", "events")  # fields of RunConfig that name a file
# field of RunConfig: (metavar, help)
_OPTIONS = {
    "source": ("X", "webcam index, video, picture, folder or glob of either, or stream address"),
    "save": ("FILE", "write the annotated video or picture (a folder, where the source is one)"),
    "csv": ("FILE", "write the keypoint table and FILE.json beside it (a folder, where the source is one)"),
    "features": ("FILE", "write joint angles, speeds and postures, and FILE.json beside it (likewise)"),
    "events": (
        "FILE",
        "write steps, repetitions, raised hands and falls, and FILE.json beside it (likewise)",
    ),
    "show": (None, "open a window, as without any output; q ends the run"),
    "label": ("WHAT", "what stands at each person: id, angles (with it), or events (with posture and counts)"),
    "model": ("NAME", "pose network: a name of `posetrack models`, or a file of weights"),
    "dataset": ("NAME", "whose keypoints to estimate: coco, aic, mpii, ap10k, apt36k or wholebody; ViTPose+ knows all"),
    "detector": ("NAME", "person detector: bundled, a file of weights, a name such as yolo11n.pt, or a file of boxes"),
    "device": ("NAME", "auto, cpu, cuda, cuda:N or mps"),
    "runtime": ("NAME", "what computes the networks: auto, torch, openvino or onnxruntime"),
    "precision": ("NAME", "auto, fp32, bf16 or fp16"),
    "conf": ("SCORE", "detections below this score are not looked at"),
    "max_people": ("N", "look at no more than N people a frame, the most certain first; 0 is everybody"),
    "detect_size": ("PIXELS", "longer side of the picture that the detector sees; 0 is the one that it learnt at"),
    "flip": (None, "average each pose with the mirrored crop's: a little better, twice the work"),
    "smooth": ("NAME", "keypoints as measured: none; calmer: kalman; at rest, too: one-euro, 10 ms late in a walk"),
    "camera": ("MODE", "static or moving; auto finds out, and follows a moving one"),
    "person_height": ("M", "gives the features' speeds in metres, too, by everybody's height in the picture"),
    "scale": ("PIXELS", "pixels per metre; the same for people who move in one plane"),
    "detect_every": ("N", "look for people in every Nth frame and follow them in between; auto decides by what moves"),
    "pose_every": ("N", "estimate keypoints in every Nth frame and predict them in between; auto decides likewise"),
    "refine": (None, "track a file, then smooth both ways, join and interpolate its tracks; draw in a second pass"),
    "start": ("SECONDS", "begin so far into the source"),
    "end": ("SECONDS", "stop so far into the source"),
    "timeout": ("SECONDS", "wait no longer than this for a stream"),
    "reconnect": ("SECONDS", "try for so long to get a lost camera or stream back; 0 gives up at once"),
    "overwrite": (None, "replace existing results"),
    "quiet": (None, "print nothing but errors"),
    "offline": (None, "never use the network"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the main job; one that is not given is absent, so that a recipe can fill it."""
    group = parser.add_argument_group("tracking")
    for field in dataclasses.fields(RunConfig):
        if field.name not in _OPTIONS:
            continue  # for recipes alone
        metavar, text = _OPTIONS[field.name]
        flag = "--" + field.name.replace("_", "-")
        if metavar is None:
            group.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=f"{text} (default: off)")
            continue
        kinds: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "int | str": _every}
        kind = kinds.get(str(field.type).removesuffix(" | None"), str)
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


def _every(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


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
    batch = isinstance(items[0].source, Path) and items[0].source != Path(config.source)
    if not any(getattr(config, output) for output in OUTPUTS):
        config = dataclasses.replace(config, show=True)
    if config.repetitions:
        from ..features.repetitions import from_config

        from_config(config.repetitions)  # a wrong one is told before anything is loaded
    if config.show:
        from ..output.window import check_display

        check_display()
    jobs = [(item.source, _targets(config, item, batch=batch)) for item in items]
    for source, targets in jobs:
        _check_targets(source, targets, overwrite=config.overwrite)

    pipeline = _load(config)
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


def _targets(config: RunConfig, item: Item, *, batch: bool) -> dict[str, Path]:
    """Return where each output that was asked for goes; in folders that mirror the source, for a batch."""
    from ..video.address import IMAGE_SUFFIXES

    named = {output: Path(name) for output in OUTPUTS if (name := getattr(config, output))}
    if not batch:
        return named
    picture = Path(str(item.source)).suffix.lower() in IMAGE_SUFFIXES
    suffixes = {"save": ".png" if picture else ".mp4"}
    return {
        output: folder / item.mirror.with_name(item.mirror.name + suffixes.get(output, ".csv"))
        for output, folder in named.items()
    }


def _check_targets(source: Any, targets: dict[str, Path], *, overwrite: bool) -> None:
    """Refuse, before anything is loaded, to write over existing results, each other, or the source itself."""
    from ..partial import check_target
    from ..video.writer import check_suffix

    if "save" in targets:
        check_suffix(targets["save"])
    for output, target in targets.items():
        twin = next((other for other in targets if other != output and targets[other] == target), None)
        if twin:
            raise UsageError(f"--{output} and --{twin} are both '{target}'. Give each a name of its own.")
        if isinstance(source, Path) and target.exists() and source.exists() and target.samefile(source):
            raise UsageError(f"'{target}' is the source itself. Give the result another name.")
        check_target(target, overwrite=overwrite)


def _load(config: RunConfig) -> Pipeline:
    from ..pipeline import load_pipeline

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
        offline=config.offline,
    )


def _track_one(config: RunConfig, source: Any, targets: dict[str, Path], pipeline: Pipeline) -> None:
    from rich.console import Console

    from ..loop import loop
    from ..output.sidecar import write_sidecar
    from ..output.summary import progress, summary_table
    from ..output.twice import Twice
    from ..timings import Timings
    from ..video.source import open_source
    from . import facts

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
        if config.refine and frames.live:
            raise UsageError(f"'{frames.name}' is live and cannot be looked at a second time. Leave --refine out.")
        if not config.quiet:
            facts.announce(pipeline)
        shown = partial(progress, total=frames.frame_count, quiet=config.quiet, console=console)
        complete, outputs = False, _sinks(config, frames, targets, pipeline)
        try:
            with outputs as sinks:
                with shown(label=frames.name) as step:
                    loop(frames, pipeline, sinks, step, threads=_side_by_side(pipeline))
                if isinstance(sinks, Twice):
                    with opened() as again, shown(label="Refined") as step:
                        sinks.look_again(again, step)
            complete = True
        finally:
            if "csv" in targets:
                refined = isinstance(outputs, Twice) and outputs.refined
                write_sidecar(
                    targets["csv"], facts.run_facts(config, frames, pipeline, complete=complete, refined=refined)
                )
        counts = facts.counts(frames)
    if not config.quiet:
        sidecars = [targets[output].with_name(targets[output].name + ".json") for output in targets if output != "save"]
        files = [*targets.values(), *sidecars]
        gaps = [gap.end - gap.start for gap in frames.gaps]
        device = pipeline.estimator.network.device
        looks = {str(look): count for look, count in pipeline.looks.items()} if pipeline.schedule.skips else {}
        console.print(summary_table(timings, device=device, files=files, counts=counts, looks=looks, gaps=gaps))


def _side_by_side(pipeline: Pipeline) -> bool:
    """Tell whether threads pay."""
    from ..stages import cores

    # torch on a processor uses all cores by itself, and its many small steps hold the interpreter: with two networks at
    # once it had 0.7 times the speed on two cores, where OpenVINO, a single long step, had 1.4 times
    network = pipeline.estimator.network
    return cores() > 1 and not (network.name == "torch" and network.device.startswith("cpu"))


def _sinks(config: RunConfig, frames: Source, targets: dict[str, Path], pipeline: Pipeline) -> Sinks | Twice:
    from ..output.notes import make_notes
    from ..output.sinks import OverlaySink, Sinks
    from ..output.twice import Twice
    from ..output.window import Window
    from ..video.writer import open_writer

    skeleton, timings, overwrite = pipeline.estimator.skeleton, pipeline.timings, config.overwrite
    screens: list[Any] = []
    if save := targets.get("save"):
        screens.append(open_writer(save, size=frames.size, fps=frames.fps, audio_from=frames.path, overwrite=overwrite))
    if config.show:
        screens.append(Window(f"posetrack: {frames.name}"))
    overlay = None
    if screens:
        notes = make_notes(config.label, *_actions(config, skeleton))
        overlay = OverlaySink(*screens, skeleton=skeleton, show_fps=not config.refine, notes=notes, timings=timings)
    tables = _tables(config, targets, skeleton)
    if config.refine:
        return Twice(overlay, tables, skeleton=skeleton, timings=timings)
    return Sinks(*([overlay] if overlay else []), *tables, timings=timings)


def _tables(config: RunConfig, targets: dict[str, Path], skeleton: Skeleton) -> list[Table]:
    """Return the outputs that need no picture."""
    from ..output.actions import ActionSink
    from ..output.table import CsvSink

    tables: list[Table] = []
    if csv := targets.get("csv"):
        tables.append(CsvSink(csv, skeleton=skeleton, overwrite=config.overwrite))
    features, events = targets.get("features"), targets.get("events")
    if features or events:
        actions, detector = _actions(config, skeleton)
        sink = ActionSink(actions, features=features, events=events, detector=detector, overwrite=config.overwrite)
        tables.append(sink)
    return tables


def _actions(config: RunConfig, skeleton: Skeleton) -> tuple[ActionFeatures, EventDetector]:
    """Return what computes features and what finds events."""
    from ..features.events import EventDetector
    from ..features.repetitions import from_config
    from ..features.stream import ActionFeatures

    actions = ActionFeatures(skeleton=skeleton, person_height=config.person_height, scale=config.scale)
    return actions, EventDetector(actions, repetitions=from_config(config.repetitions))
