"""Plan of a run: its sources, the results of each, and the sources that are skipped."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import OutputError, PosetrackError, SourceError, UsageError
from ..config import Outputs, RunConfig
from ..formats.files import check_result
from ..formats.registry import format_of
from ..output import manifest
from ..output.motion import SUFFIX as MOTION
from ..output.results import exists, is_complete, is_ours, is_sidecar
from ..partial import check_inputs, check_target, sidecar_path
from ..video.address import no_file, shown
from ..video.batch import Item, gather, is_still
from ..video.images.sequence import is_sequence
from ..video.writer import IMAGE_OUTPUTS, VIDEO_OUTPUTS, check_suffix

log = logging.getLogger("posetrack")

_OF_FILES = frozenset({".csv", ".parquet", ".json", ".txt", ".html", ".htm", *VIDEO_OUTPUTS, *IMAGE_OUTPUTS})


@dataclass(frozen=True, slots=True)
class Job:
    """One source and its results.

    Attributes:
        source: path, address, or index of a webcam.
        targets: path of each result, by the name of its option.
        overwrite: whether existing results are replaced.
    """

    source: str | int | Path
    targets: Mapping[str, Path]
    overwrite: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        config: options of the run.
        jobs: sources to track, in order.
        refused: error of each source that cannot be tracked.
        total: number of sources found.
        many: whether this is a batch, in which other sources continue after an error.
        manifest: folder of a batch's manifest; None if nothing is written.
    """

    config: RunConfig
    jobs: tuple[Job, ...]
    refused: tuple[PosetrackError, ...]
    total: int
    many: bool
    manifest: Path | None

    @property
    def live(self) -> bool:
        """Whether a source may be live."""
        return not all(isinstance(job.source, Path) for job in self.jobs)

    @property
    def parallel(self) -> bool:
        """Whether worker processes are wanted."""
        return self.config.workers.jobs != 1 or self.config.workers.engine != "local"


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
    batch = gather(sources, results=list(outputs.files.values()), fps=config.source.fps)
    if not outputs.files:
        outputs = dataclasses.replace(outputs, show=True)
    _check_outputs(outputs)
    if outputs.show:
        _check_display(batch.items)
    if left_out := batch.report():
        log.info(left_out)
    if batch.many:
        _check_folders(outputs.files)
    folder = manifest.place(outputs.files) if batch.many else None
    earlier = manifest.read(folder) if folder and outputs.skip_existing else {}
    jobs: list[Job] = []
    refused: list[PosetrackError] = []
    for item in batch.items:
        targets = targets_of(item, outputs, batch=batch.many)
        entry = earlier.get(manifest.name(folder, targets)) if folder else None
        try:
            job = _job(item, outputs, targets, entry)
        except (OutputError, SourceError) as error:
            if not batch.many:
                raise
            refused.append(error)
        else:
            jobs += [job] if job else []
        for target in targets.values():
            check_inputs(target, outputs.logo, *config.networks.files)
    config = dataclasses.replace(config, outputs=outputs)
    plan = Plan(config, tuple(jobs), tuple(refused), len(batch.items), batch.many, folder)
    if plan.many and plan.parallel and (plan.live or outputs.show):
        raise UsageError("Worker processes track files, without a window. Leave --jobs and --engine out.")
    return plan


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
        from ..features.events.zones import zones_from_config

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


def _check_display(items: Sequence[Item]) -> None:
    """Check that a window can be opened; a source that is missing is the first thing to say."""
    from ..output.window import check_display

    for source in (item.source for item in items):
        if len(items) == 1 and isinstance(source, Path) and not (source.exists() or is_sequence(source)):
            raise no_file(source)
    check_display()


def _check_folders(folders: Mapping[str, Path]) -> None:
    """Refuse the name of a file as the folder of a batch, which would be made under that name."""
    for name, folder in folders.items():
        if folder.suffix.lower() in _OF_FILES and not folder.is_dir():
            raise UsageError(
                f"--{name} is '{folder}', a file, and the source is a folder, a pattern or several files. Give a "
                f"folder for the results: --{name} {folder.with_suffix('')}."
            )


def _job(item: Item, outputs: Outputs, targets: Mapping[str, Path], entry: manifest.Entry | None) -> Job | None:
    """Return the job of one source; None if its results are complete and are kept.

    Args:
        item: the source.
        outputs: options of the outputs.
        targets: path of each result.
        entry: of the source in the manifest, if a batch is continued.

    Raises:
        OutputError: a result exists and may not be replaced, or cannot be written.
        SourceError: the source failed in an earlier run, and has not changed.
        UsageError: two results have the same name, or a result is the source.
    """
    overwrite = outputs.overwrite
    if outputs.skip_existing and targets:
        same = entry is None or not isinstance(item.source, Path) or entry.is_of(item.source)
        if same and all(is_complete(output, path) for output, path in targets.items()):
            log.info("Skipped '%s': its results are complete.", item.source)
            return None
        if entry and same and entry.state is manifest.SourceState.FAILED and not outputs.retry_failed:
            raise SourceError(f"Skipped, because it failed before: {entry.error} Add --retry-failed to try it again.")
        if not same:
            log.info("'%s' has changed since its results were written.", item.source)
        overwrite = True  # an interrupted run left only some of the results
        for output, path in targets.items():
            if exists(output, path) and not is_ours(output, path):
                raise OutputError(
                    f"'{path}' exists already and is not a result of posetrack. Move it to another place."
                )
    check_targets(item.source, targets, overwrite=overwrite)
    return Job(item.source, targets, overwrite)


def targets_of(item: Item, outputs: Outputs, *, batch: bool) -> dict[str, Path]:
    """Return the path of each requested result; for a batch, in folders that mirror the sources."""
    if not batch:
        return outputs.files
    suffixes = {"report": ".html"}
    if "save" in outputs.files:
        suffixes["save"] = ".png" if is_still(item) else ".mp4"
    return {
        output: folder / item.mirror.with_name(item.mirror.name + suffixes.get(output, ".csv"))
        for output, folder in outputs.files.items()
    }


def check_targets(source: str | int | Path, targets: Mapping[str, Path], *, overwrite: bool) -> None:
    """Check that results replace neither existing files, nor each other, nor the source.

    Raises:
        OutputError: a result exists and may not be replaced, or cannot be written.
        UsageError: two results have the same name, or a result is the source or an address.
    """
    if "save" in targets:
        check_suffix(targets["save"])
    if "report" in targets:
        from ..report.report import check_report

        check_report(targets["report"])
    for output, target in targets.items():
        if (hidden := shown(target)) != str(target):
            raise UsageError(f"--{output} is the address '{hidden}', and results are files. Give the name of a file.")
        twin = next((other for other in targets if other != output and _same(targets[other], target)), None)
        if twin:
            raise UsageError(f"--{output} and --{twin} are both '{target}'. Give each a different name.")
        check_inputs(target, source if isinstance(source, Path) else None)
        if output == "csv":
            check_result(target, format_of(target), overwrite=overwrite)
        else:
            check_target(target, overwrite=overwrite)
        if output not in ("save", "report"):
            _check_sidecar(target, targets.values(), overwrite=overwrite)


def _same(one: Path, other: Path) -> bool:
    """Return whether two names are one place, also through a link to its folder."""
    return one == other or (one.name == other.name and one.parent.resolve() == other.parent.resolve())


def _check_sidecar(table: Path, targets: Iterable[Path], *, overwrite: bool) -> None:
    """Check that the sidecar of a table can be written; an earlier run may have left one."""
    path = sidecar_path(table)
    if any(_same(path, target) for target in targets):
        raise UsageError(f"'{path}' describes '{table}'. Give the other result another name.")
    check_target(path, overwrite=overwrite or is_sidecar(path))
