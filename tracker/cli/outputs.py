"""The outputs of the main job: where they go, and what writes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ..config import RunConfig
from ..people import parse_person, parse_roi
from .options import OUTPUTS

if TYPE_CHECKING:
    from ...models.keypoints import Skeleton
    from ..features.events import EventDetector
    from ..features.stream import ActionFeatures
    from ..output.sinks import Sinks
    from ..output.twice import Table, Twice
    from ..pipeline import Pipeline
    from ..report.report import Report
    from ..tracking.selection import Selection
    from ..types import Tracks
    from ..video.batch import Item
    from ..video.source import Source


def targets_of(config: RunConfig, item: Item, *, batch: bool) -> dict[str, Path]:
    """Return where each output that was asked for goes; in folders that mirror the source, for a batch."""
    from ..video.batch import is_still

    named = {output: Path(name) for output in OUTPUTS if (name := getattr(config, output))}
    if not batch:
        return named
    suffixes = {"save": ".png" if is_still(item) else ".mp4", "report": ".html"}
    return {
        output: folder / item.mirror.with_name(item.mirror.name + suffixes.get(output, ".csv"))
        for output, folder in named.items()
    }


def check_targets(source: Any, targets: dict[str, Path], *, overwrite: bool) -> None:
    """Refuse, before anything is loaded, to write over existing results, each other, or the source itself."""
    from ..formats.files import check_result
    from ..formats.registry import format_of
    from ..partial import check_target
    from ..report.report import check_report
    from ..video.writer import check_suffix

    if "save" in targets:
        check_suffix(targets["save"])
    if "report" in targets:
        check_report(targets["report"])
    for output, target in targets.items():
        twin = next((other for other in targets if other != output and targets[other] == target), None)
        if twin:
            raise UsageError(f"--{output} and --{twin} are both '{target}'. Give each a name of its own.")
        if isinstance(source, Path) and target.exists() and source.exists() and target.samefile(source):
            raise UsageError(f"'{target}' is the source itself. Give the result another name.")
        if output == "csv":
            check_result(target, format_of(target), overwrite=overwrite)
        else:
            check_target(target, overwrite=overwrite)


def report_of(config: RunConfig, frames: Source, targets: dict[str, Path], pipeline: Pipeline) -> Report | None:
    """Return the report that was asked for; None where none was."""
    from ..report.report import Report

    if "report" not in targets:
        return None
    actions = _actions(config, pipeline.estimator.skeleton)
    return Report(targets["report"], *actions, fps=frames.fps, overwrite=config.overwrite)


def sinks_of(
    config: RunConfig,
    frames: Source,
    targets: dict[str, Path],
    pipeline: Pipeline,
    *,
    select: Selection,
    report: Report | None,
) -> Sinks | Twice:
    """Return what writes and shows, and chooses and hides people before that."""
    from ..output.notes import make_notes
    from ..output.privacy import BlurFaces, only_skeletons
    from ..output.sinks import OverlaySink, Sinks
    from ..output.twice import Twice
    from ..output.window import Window
    from ..video.writer import open_writer

    skeleton, timings, overwrite = pipeline.estimator.skeleton, pipeline.timings, config.overwrite
    screens: list[Any] = []
    if save := targets.get("save"):
        screens.append(open_writer(save, size=frames.size, fps=frames.fps, sound=frames.sound, overwrite=overwrite))
    if config.show:
        screens.append(Window(f"posetrack: {frames.name}"))
    if report:
        screens.append(report.clip)
    overlay, conceal = None, None
    if screens:
        notes = make_notes(config.label, *_actions(config, skeleton))
        show_fps = not looks_twice(config)
        overlay = OverlaySink(*screens, skeleton=skeleton, show_fps=show_fps, notes=notes, timings=timings)
        conceal = only_skeletons if config.skeleton_only else BlurFaces(skeleton) if config.blur_faces else None
    tables = [*_tables(config, targets, frames, skeleton), *([report.people] if report else [])]
    if looks_twice(config):
        again = partial(_again, select=select, skeleton=skeleton if config.refine else None)
        return Twice(overlay, tables, again=again, conceal=conceal, timings=timings)
    return Sinks(*([overlay] if overlay else []), *tables, conceal=conceal, select=select, timings=timings)


def looks_twice(config: RunConfig) -> str:
    """Return the option that needs the whole run before anything can be written; empty where there is none."""
    if config.refine:
        return "--refine"
    if selection(config).whole:
        return "--min-length" if config.min_length else f"--person {config.person}"
    return ""


def selection(config: RunConfig) -> Selection:
    """Return who of a run is written and drawn."""
    from ..tracking.selection import Selection

    person = None if config.person is None else parse_person(config.person)
    return Selection(person, min_length=config.min_length, roi=None if config.roi is None else parse_roi(config.roi))


def _again(
    times: Sequence[float], tracks: Sequence[Tracks], *, select: Selection, skeleton: Skeleton | None
) -> list[Tracks]:
    """Refine the tracks of a run, where a skeleton is given, and choose whom to keep."""
    from ..tracking.refine import refine

    if skeleton:
        tracks = refine(times, tracks, skeleton=skeleton)
    return select.choose(times, tracks)


def _tables(config: RunConfig, targets: dict[str, Path], frames: Source, skeleton: Skeleton) -> list[Table]:
    """Return the outputs that need no picture."""
    from ..formats.registry import FORMATS, format_of
    from ..formats.sink import ConvertingSink
    from ..output.actions import ActionSink
    from ..output.table import CsvSink

    tables: list[Table] = []
    if csv := targets.get("csv"):
        format = format_of(csv)
        if format is FORMATS["table"]:
            tables.append(CsvSink(csv, skeleton=skeleton, overwrite=config.overwrite))
        else:
            options = {"scale": config.scale} if config.scale and "scale" in format.options else {}
            facts: Any = {"size": frames.size, "fps": frames.fps, **options}
            tables.append(ConvertingSink(csv, skeleton=skeleton, overwrite=config.overwrite, **facts))
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


def written(targets: dict[str, Path]) -> list[Path]:
    """Return the files of a complete run."""
    from ..formats.files import results
    from ..formats.registry import format_of

    csv = targets.get("csv")
    files = [] if csv is None else results(csv, format_of(csv))
    sidecars = [
        path.with_name(f"{path.name}.json") for output, path in targets.items() if output not in ("save", "report")
    ]
    return [*(path for output, path in targets.items() if output != "csv"), *files, *sidecars]
