"""Build the outputs of a run: which objects write, draw, select and hide people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .features.events import EventDetector
from .features.repetitions import from_config
from .features.stream import ActionFeatures
from .formats.files import present
from .formats.registry import FORMATS, format_of
from .formats.sink import ConvertingSink
from .formats.table_writer import CsvSink
from .output.actions import ActionSink
from .output.notes import make_notes
from .output.privacy import BlurFaces, only_skeletons
from .output.sinks import OverlaySink, Sinks
from .output.twice import Table, Twice
from .output.window import Window
from .partial import Transaction
from .tracking.selection import Selection
from .tracking.selectors import parse_person, parse_roi
from .video.writer import open_writer

if TYPE_CHECKING:
    from ..models.geometry.keypoints import Skeleton
    from .config import Outputs
    from .pipeline import Pipeline
    from .plan import Job
    from .report.report import Report
    from .types import Tracks
    from .video.source import Source


def report_of(job: Job, outputs: Outputs, frames: Source, pipeline: Pipeline, *, results: Transaction) -> Report | None:
    """Return the report that was requested, or None."""
    if "report" not in job.targets:
        return None
    from .report.report import Report

    actions = _actions(outputs, pipeline.estimator.skeleton)
    return Report(job.targets["report"], *actions, fps=frames.fps, overwrite=job.overwrite, results=results)


def sinks_of(
    job: Job,
    outputs: Outputs,
    frames: Source,
    pipeline: Pipeline,
    *,
    select: Selection,
    report: Report | None,
    refine: bool,
    results: Transaction,
) -> Sinks | Twice:
    """Return everything that receives the tracks of a source.

    Args:
        job: source and results.
        outputs: options of the outputs.
        frames: the opened source.
        pipeline: of this source.
        select: people who are written and drawn.
        report: as of `report_of`.
        refine: whether tracks are refined before a second pass.
        results: gives all files their names.
    """
    skeleton, timings = pipeline.estimator.skeleton, pipeline.timings
    twice = bool(second_pass(outputs, refine=refine))
    screens: list[Any] = []
    if save := job.targets.get("save"):
        words: Any = {"overwrite": job.overwrite, "results": results}
        screens.append(open_writer(save, size=frames.size, fps=frames.fps, sound=frames.sound, **words))
    if outputs.show:
        screens.append(Window(f"posetrack: {frames.name}"))
    if report:
        screens.append(report.clip)
    overlay, conceal = None, None
    if screens:
        notes = make_notes(outputs.label, *_actions(outputs, skeleton))
        overlay = OverlaySink(*screens, skeleton=skeleton, show_fps=not twice, notes=notes, timings=timings)
        conceal = only_skeletons if outputs.skeleton_only else BlurFaces(skeleton) if outputs.blur_faces else None
    tables = [*_tables(job, outputs, frames, skeleton, results), *([report.people] if report else [])]
    if twice:
        again = partial(_again, select=select, skeleton=skeleton if refine else None)
        return Twice(overlay, tables, again=again, conceal=conceal, timings=timings)
    return Sinks(*([overlay] if overlay else []), *tables, conceal=conceal, select=select, timings=timings)


def second_pass(outputs: Outputs, *, refine: bool) -> str:
    """Return the option that needs all tracks before anything is written; empty if there is none."""
    if refine:
        return "--refine"
    if selection(outputs).whole:
        return "--min-length" if outputs.min_length else f"--person {outputs.person}"
    return ""


def selection(outputs: Outputs) -> Selection:
    """Return which people are written and drawn."""
    person = None if outputs.person is None else parse_person(outputs.person)
    roi = None if outputs.roi is None else parse_roi(outputs.roi)
    return Selection(person, min_length=outputs.min_length, roi=roi)


def _again(
    times: Sequence[float], tracks: Sequence[Tracks], *, select: Selection, skeleton: Skeleton | None
) -> list[Tracks]:
    """Refine the tracks of a run if a skeleton is given, and select people."""
    if skeleton:
        from .tracking.refine import refine

        tracks = refine(times, tracks, skeleton=skeleton)
    return select.choose(times, tracks)


def _tables(job: Job, outputs: Outputs, frames: Source, skeleton: Skeleton, results: Transaction) -> list[Table]:
    """Return the outputs that need no image."""
    tables: list[Table] = []
    words: Any = {"overwrite": job.overwrite, "results": results}
    if csv := job.targets.get("csv"):
        format = format_of(csv)
        if format is FORMATS["table"]:
            tables.append(CsvSink(csv, skeleton=skeleton, **words))
        else:
            options = {"scale": outputs.scale} if outputs.scale and "scale" in format.options else {}
            facts: Any = {"size": frames.size, "fps": frames.fps, **options}
            tables.append(ConvertingSink(csv, skeleton=skeleton, **words, **facts))
    features, events = job.targets.get("features"), job.targets.get("events")
    if features or events:
        actions, detector = _actions(outputs, skeleton)
        sink = ActionSink(actions, features=features, events=events, detector=detector, **words)
        tables.append(sink)
    return tables


def _actions(outputs: Outputs, skeleton: Skeleton) -> tuple[ActionFeatures, EventDetector]:
    """Return the stream of features and its event detector."""
    actions = ActionFeatures(skeleton=skeleton, person_height=outputs.person_height, scale=outputs.scale)
    return actions, EventDetector(actions, repetitions=from_config(outputs.repetitions))


def written(targets: Mapping[str, Path]) -> list[Path]:
    """Return the files of a complete run."""
    csv = targets.get("csv")
    files = [] if csv is None else present(csv, format_of(csv))
    sidecars = [
        path.with_name(f"{path.name}.json") for output, path in targets.items() if output not in ("save", "report")
    ]
    return [*(path for output, path in targets.items() if output != "csv"), *files, *sidecars]
