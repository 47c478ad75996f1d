"""Plan of a run: how its networks are loaded, its sources, the results of each, and the sources that are skipped."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import OutputError, PosetrackError, SourceError, UsageError
from ..config.outputs import Outputs
from ..config.run import RunConfig
from ..config.workers import Workers
from ..output import manifest
from ..output.motion import SUFFIX as MOTION
from ..output.results import exists, is_complete, is_ours
from ..partial import check_inputs
from ..pipeline import Pipeline
from ..remote.listing import gather as gather_remote
from ..video.address import no_file, shown
from ..video.batch import Item, gather
from ..video.images.sequence import is_sequence
from ..video.place import Remote, is_endless, is_in_store
from ..video.write.video import VIDEO_OUTPUTS
from ..video.writer import IMAGE_OUTPUTS
from .job import Job
from .networks import load
from .record import recorded
from .targets import check_targets, places_of, results_in, targets_of

log = logging.getLogger("posetrack")

_OF_FILES = frozenset({".csv", ".parquet", ".json", ".txt", ".html", ".htm", *VIDEO_OUTPUTS, *IMAGE_OUTPUTS})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        load: loads the networks; can be pickled, for worker processes.
        jobs: sources to track, in order.
        refused: error of each source that cannot be tracked.
        total: number of sources found.
        many: whether this is a batch, in which other sources continue after an error.
        manifest: folder of a batch's manifest, here or in a store; None if nothing is written.
        workers: the processes that share the work.
        quiet: whether errors only are printed.
    """

    load: Callable[[], Pipeline]
    jobs: tuple[Job, ...]
    refused: tuple[PosetrackError, ...]
    total: int
    many: bool
    manifest: Path | Remote | None
    workers: Workers
    quiet: bool


def make_plan(config: RunConfig, sources: Sequence[str]) -> Plan:
    """Check a request and plan every source, before anything is loaded.

    Args:
        config: options of the run; without any output, a window opens.
        sources: files, folders, globs, addresses or webcams.

    Raises:
        SourceError: a source does not exist.
        UsageError: the options contradict each other.
        OutputError: the result of a single source cannot be written.
    """
    outputs = config.outputs
    places = places_of(outputs.files)
    if any(map(is_in_store, sources)):
        batch = gather_remote(sources, results=places.values())
    else:
        here = [place for place in places.values() if isinstance(place, Path)]
        batch = gather(sources, results=here, fps=config.source.fps)
    if not places:
        outputs = dataclasses.replace(outputs, show=True)
        config = dataclasses.replace(config, outputs=outputs)
    _check_outputs(outputs)
    if outputs.show:
        _check_display(batch.items)
    if left_out := batch.report():
        log.info(left_out)
    if batch.many:
        _check_folders(places)
    folder = manifest.place(places) if batch.many else None
    earlier = recorded(folder) if outputs.skip_existing else {}
    existing = results_in(places.values(), batch=batch.many)
    overwrite = outputs.overwrite or outputs.skip_existing  # an interrupted run left only some of the results
    refine = config.tracking.refine
    stated = config.stated() | {output: str(place) for output, place in places.items() if isinstance(place, Remote)}
    job = partial(Job, reading=config.source, overwrite=overwrite, outputs=outputs, refine=refine, stated=stated)
    jobs: list[Job] = []
    refused: list[PosetrackError] = []
    for item in batch.items:
        name = str(item.source) if isinstance(item.source, Remote) else shown(item.source)
        targets = targets_of(item, places, batch=batch.many, existing=existing)
        entry = earlier.get(manifest.name(folder, targets)) if folder else None
        for target in (place for place in targets.values() if isinstance(place, Path)):
            check_inputs(target, outputs.logo, *config.networks.files)
        try:
            if outputs.skip_existing and _is_done(item, targets, entry, retry_failed=outputs.retry_failed):
                log.info("Skipped '%s': its results are complete.", name)
                continue
            check_targets(item.source, targets, overwrite=overwrite)
        except (OutputError, SourceError) as error:
            if not batch.many:
                raise
            refused.append(error)
        else:
            jobs.append(job(item.source, name, targets=targets))
    live = not all(isinstance(each.source, Path | Remote) for each in jobs)
    if batch.many and config.workers.parallel and (live or outputs.show):
        raise UsageError("Worker processes track files, without a window. Leave --jobs and --engine out.")
    _check_endless(jobs, config.source.end)
    return Plan(
        load=partial(load, config.networks, config.tracking, live=live, blur_faces=outputs.blur_faces),
        jobs=tuple(jobs),
        refused=tuple(refused),
        total=len(batch.items),
        many=batch.many,
        manifest=folder,
        workers=config.workers,
        quiet=outputs.quiet,
    )


def _check_outputs(outputs: Outputs) -> None:
    if outputs.repetitions:
        from ..features.events.repetitions import from_config

        from_config(outputs.repetitions)  # raises on a wrong table
    if outputs.features and Path(outputs.features).suffix.lower() == MOTION:
        raise UsageError(
            f"--features writes a table, and '{outputs.features}' is a motion of OpenSim. Give --csv FILE.csv, then: "
            f"posetrack features FILE.csv --out {outputs.features}."
        )
    if outputs.zones or outputs.lines:
        from ..features.events.regions import zones_from_config

        zones_from_config(outputs.zones, outputs.lines)  # raises on a wrong table
        if not (outputs.events or outputs.report or outputs.save or outputs.show):
            raise UsageError(
                "The recipe has zones or lines, and nothing writes or draws their counts. Add --events FILE, --report "
                "FILE, --save FILE or --show, or remove them."
            )
    hides = [f"--{flag.replace('_', '-')}" for flag in ("blur_faces", "skeleton_only") if getattr(outputs, flag)]
    if hides and not (outputs.save or outputs.show):
        raise UsageError(f"{hides[0]} changes images, and no image is requested. Add --save or --show, or remove it.")
    if outputs.keypoint_states and (not outputs.csv or Path(outputs.csv).suffix not in ("", ".csv")):
        raise UsageError("--keypoint-states adds columns to a table in .csv. Add --csv FILE.csv, or remove it.")


def _check_endless(jobs: Sequence[Job], end: float | None) -> None:
    """Refuse sources after a camera or stream that has no end: their turn would never come."""
    for each in jobs[:-1]:
        if end is None and is_endless(each.source):
            raise UsageError(
                f"'{each.name}' has no end, so the sources after it would wait for ever. Start posetrack for each, or "
                "posetrack serve with a --source for each, or give --end."
            )


def _check_display(items: Sequence[Item]) -> None:
    """Check that a window can be opened; a missing source is reported first."""
    from ..output.window import check_display

    for source in (item.source for item in items):
        if len(items) == 1 and isinstance(source, Path) and not (source.exists() or is_sequence(source)):
            raise no_file(source)
    check_display()


def _check_folders(places: Mapping[str, Path | Remote]) -> None:
    """Refuse the name of a file as the folder of a batch, which would be made under that name."""
    for name, place in places.items():
        folder = place if isinstance(place, Path) else Path(str(place))
        if folder.suffix.lower() in _OF_FILES and not folder.is_dir():
            raise UsageError(
                f"--{name} is '{folder}', a file, and the source is a folder, a pattern or several files. Give a "
                f"folder for the results: --{name} {folder.with_suffix('')}."
            )


def _is_done(
    item: Item, targets: Mapping[str, Path | Remote], entry: manifest.Entry | None, *, retry_failed: bool
) -> bool:
    """Return whether a continued batch skips a source, because its results are complete.

    Args:
        item: the source.
        targets: place of each result.
        entry: of the source in the manifest.
        retry_failed: whether sources that failed are tried again.

    Raises:
        OutputError: a file that is no result of posetrack has the name of a result.
        SourceError: the source failed in an earlier run, and has not changed.
    """
    same = entry is None or not isinstance(item.source, Path | Remote) or entry.is_of(item.source)
    if not same:
        log.info("'%s' has changed since its results were written.", item.source)
    elif (
        (entry is None or entry.state is manifest.SourceState.DONE)
        and targets
        and all(is_complete(output, path) for output, path in targets.items())
    ):
        return True
    elif entry and entry.state is manifest.SourceState.FAILED and not retry_failed:
        raise SourceError(f"Skipped, because it failed before: {entry.error} Add --retry-failed to try it again.")
    for output, path in targets.items():
        if exists(output, path) and not is_ours(output, path):
            raise OutputError(f"'{path}' exists already and is not a result of posetrack. Move it to another place.")
    return False
