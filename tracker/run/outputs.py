"""Build the outputs of a run from its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.outputs import MOVEMENT, Outputs
from ..features.calibration.floor import on_estimated_floor
from ..features.events.detector import EventDetector
from ..features.events.event import UNITS
from ..features.events.regions import zones_from_config
from ..features.events.repetitions import from_config
from ..features.events.zones import ZoneCounter
from ..features.extraction.stream import ActionFeatures
from ..formats.converting import ConvertingSink
from ..formats.files import present
from ..formats.registry import FORMATS, format_of
from ..formats.table import CsvSink
from ..output.actions import ActionSink, Listener
from ..output.arcs import AngleArcs
from ..output.labels import EventLabels, LabelSink
from ..output.people import PeopleCount
from ..output.places import PlaceTexts
from ..output.privacy import BlurFaces, only_skeletons
from ..output.sinks import Conceal, OverlaySink, Screen, Sinks
from ..output.two_pass import Table, TwoPassSinks
from ..output.window import Window
from ..partial import Transaction
from ..tracking.selection import Selection
from ..video.writer import open_writer

if TYPE_CHECKING:
    from ..pipeline import Pipeline
    from ..report.writer import Report
    from ..types import Tracks
    from ..video.source import Source
    from .job import Job


def open_outputs(
    job: Job,
    frames: Source,
    pipeline: Pipeline,
    *,
    select: Selection,
    people: PeopleCount,
    results: Transaction,
) -> tuple[Report | None, Sinks | TwoPassSinks]:
    """Return the report, if requested, and everything that receives the tracks of a source.

    Args:
        job: source, options and results.
        frames: the opened source.
        pipeline: of this source.
        select: people who are written and drawn.
        people: counts who is written.
        results: gives all files their names.
    """
    outputs, skeleton, timings = job.outputs, pipeline.estimator.skeleton, pipeline.timings
    actions = ActionFeatures(skeleton=skeleton, calibration=outputs.calibration)
    detector = EventDetector(actions, repetitions=from_config(outputs.repetitions))
    zones = ZoneCounter(zones_from_config(outputs.zones, outputs.lines), skeleton=skeleton)
    report = None
    if "report" in job.files:
        from ..report.writer import Report

        report = Report(
            job.files["report"],
            actions,
            units=UNITS | zones.units(),
            fps=frames.fps,
            logo=outputs.logo,
            overwrite=job.overwrite,
            results=results,
        )
    listeners: list[Listener] = [report.people] if report else []
    overlay: OverlaySink | None = None
    labels: list[Table] = []
    if screens := _screens(job, frames, report, results=results):
        arcs = LabelSink(AngleArcs(actions)) if outputs.label == "angles" else None
        counts = EventLabels(detector) if outputs.label == "events" else None
        texts = LabelSink(counts) if counts else None
        place_texts = LabelSink(PlaceTexts(zones)) if zones.places else None
        labels = [sink for sink in (arcs, texts, place_texts) if sink]
        if counts:
            listeners.append(counts)
        overlay = OverlaySink(
            *screens,
            skeleton=skeleton,
            labels=texts,
            arcs=arcs,
            places=zones.places,
            counts=place_texts,
            colors=outputs.colors,
            boxes=outputs.boxes,
            trails=outputs.trails,
            timings=timings,
        )
    tables: list[Table] = [people]
    files: Any = {name: path for name, path in job.files.items() if name in MOVEMENT}
    if files or listeners or labels:
        movements = [report.people.movement] if report else []
        tables.append(
            ActionSink(
                actions,
                detector,
                *listeners,
                movements=movements,
                zones=zones,
                source=frames.name,
                overwrite=job.overwrite,
                results=results,
                **files,
            )
        )
    tables += labels  # after the features, before the image
    csv = [_csv(job, frames, actions, results=results)] if "csv" in job.files else []
    conceal = _conceal(outputs, actions) if overlay else None
    if job.second_pass:
        revise = partial(_revise, frames, select=select, actions=actions, refined=job.refine)
        return report, TwoPassSinks(overlay, [*tables, *csv], revise=revise, conceal=conceal, timings=timings)
    images = [overlay] if overlay else []
    return report, Sinks(*tables, *images, *csv, conceal=conceal, select=select, timings=timings)


def _conceal(outputs: Outputs, actions: ActionFeatures) -> Conceal | None:
    """Return what hides people in the images, if requested."""
    if outputs.skeleton_only:
        return only_skeletons
    return BlurFaces(actions.skeleton) if outputs.blur_faces else None


def _revise(
    frames: Source,
    times: Sequence[float],
    tracks: Sequence[Tracks],
    *,
    select: Selection,
    actions: ActionFeatures,
    refined: bool,
) -> list[Tracks]:
    """Refine the tracks of a run if requested, select people, and find the floor on which they walk if requested."""
    if refined:
        from ..tracking.refine import refine

        size = None if frames.size_changes else frames.size[::-1]
        tracks = refine(times, tracks, skeleton=actions.skeleton, size=size)
    chosen = select.choose(times, tracks)
    if actions.calibration.finds_floor:
        timed = ((index, *moment) for index, moment in enumerate(zip(times, chosen)))
        actions.calibration = on_estimated_floor(actions.calibration, timed, actions.skeleton)
    return chosen


def _screens(job: Job, frames: Source, report: Report | None, *, results: Transaction) -> list[Screen]:
    """Return the outputs of annotated images."""
    screens: list[Screen] = []
    if save := job.files.get("save"):
        size, fps, sound = frames.size, frames.fps, frames.sound
        screens.append(open_writer(save, size=size, fps=fps, sound=sound, overwrite=job.overwrite, results=results))
    if job.outputs.show:
        screens.append(Window(f"posetrack: {frames.name}", show_fps=not job.second_pass))
    if report:
        screens.append(report)
    return screens


def _csv(job: Job, frames: Source, actions: ActionFeatures, *, results: Transaction) -> Table:
    """Return the table of keypoints, in the format of its suffix."""
    csv, skeleton, overwrite = job.files["csv"], actions.skeleton, job.overwrite
    format = format_of(csv)
    if format is FORMATS["table"]:
        states = job.outputs.keypoint_states
        return CsvSink(csv, skeleton=skeleton, states=states, overwrite=overwrite, results=results)

    def options() -> dict[str, Any]:
        return {"calibration": actions.calibration} if "calibration" in format.options else {}

    return ConvertingSink(
        csv,
        skeleton=skeleton,
        size=frames.size,
        fps=frames.fps,
        overwrite=overwrite,
        results=results,
        options=options,
    )


def result_files(targets: Mapping[str, Path]) -> list[Path]:
    """Return the files of a complete run."""
    csv = targets.get("csv")
    files = [] if csv is None else present(csv, format_of(csv))
    sidecars = [
        path.with_name(f"{path.name}.json") for output, path in targets.items() if output not in ("save", "report")
    ]
    return [*(path for output, path in targets.items() if output != "csv"), *files, *sidecars]
