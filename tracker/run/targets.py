"""Where the results of a source go, and whether they may be written there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ...errors import OutputError, UsageError
from ..formats.files import check_result
from ..formats.registry import FORMATS, format_of
from ..output.results import is_sidecar
from ..partial import check_inputs, check_name, check_target, sidecar_path
from ..remote.store import files, look, place_of
from ..video.address import shown
from ..video.batch import Item, is_still
from ..video.place import Remote, is_in_store
from ..video.writer import check_suffix


def places_of(requested: Mapping[str, str]) -> dict[str, Path | Remote]:
    """Return where each result goes, by the name of its option: a path, or a place in a store.

    Raises:
        UsageError: a result is an address to which nothing can be written.
        PosetrackError: fsspec, or its package for this store, is missing.
    """
    places: dict[str, Path | Remote] = {}
    for output, name in requested.items():
        if (hidden := shown(Path(name))) != str(Path(name)) and (
            not is_in_store(name) or name.lower().startswith("http")
        ):
            raise UsageError(
                f"--{output} is the address '{hidden}', which cannot be written to. Give a file of this machine, or a "
                "place in a store, such as s3://bucket/folder."
            )
        places[output] = place_of(name) if is_in_store(name) else Path(name)
    return places


def results_in(places: Iterable[Path | Remote], *, batch: bool) -> dict[str, Remote]:
    """Return the results that stores have already, by their paths.

    Args:
        places: of each requested result; for a batch, a folder.
        batch: whether they are folders.

    Raises:
        PosetrackError: a store does not answer, or refuses.
    """
    remote = [place for place in places if isinstance(place, Remote)]
    if batch:
        return {each.path: each for place in remote for each in files(place)}
    return {each.path: each for each in map(look, remote) if each}


def targets_of(
    item: Item, outputs: Mapping[str, Path | Remote], *, batch: bool, existing: Mapping[str, Remote]
) -> dict[str, Path | Remote]:
    """Return the place of each requested result of a source.

    Args:
        item: the source.
        outputs: place of each requested result, by the name of its option; for a batch, a folder.
        batch: whether results get names in these folders that mirror the sources.
        existing: results in stores, by their paths.
    """
    suffixes = {"report": ".html"}
    if "save" in outputs:
        suffixes["save"] = ".png" if is_still(item) else ".mp4"
    targets = {
        output: place / item.mirror.with_name(item.mirror.name + suffixes.get(output, ".csv")) if batch else place
        for output, place in outputs.items()
    }
    return {
        output: existing.get(target.path, target) if isinstance(target, Remote) else target
        for output, target in targets.items()
    }


def check_targets(source: str | int | Path | Remote, targets: Mapping[str, Path | Remote], *, overwrite: bool) -> None:
    """Check that results replace neither existing files, nor each other, nor the source.

    Raises:
        OutputError: a result exists and may not be replaced, or cannot be written.
        UsageError: two results have the same name, or a result is the source.
    """
    for output, target in targets.items():
        twin = next((other for other in targets if other != output and _same(targets[other], target)), None)
        if twin:
            raise UsageError(f"--{output} and --{twin} are both '{target}'. Give each a different name.")
        path = target if isinstance(target, Path) else Path(target.name)
        if output == "save":
            check_suffix(path)
        if output == "report":
            from ..report.writer import check_report

            check_report(path)
        if isinstance(target, Remote):
            _check_remote(output, target, source, overwrite=overwrite)
            continue
        check_inputs(target, source if isinstance(source, Path) else None)
        if output == "csv":
            check_result(target, format_of(target), overwrite=overwrite)
        else:
            check_target(target, overwrite=overwrite)
        if output not in ("save", "report"):
            _check_sidecar(target, targets.values(), overwrite=overwrite)


def _check_remote(output: str, target: Remote, source: object, *, overwrite: bool) -> None:
    """Check a result in a store by its name and by what the store has listed; writing it is not tried."""
    if isinstance(source, Remote) and _same(source, target):
        raise UsageError(f"'{target}' is read by this command. Give the result another name.")
    if target.listed and not overwrite:
        raise OutputError(f"'{target}' exists already. Choose another name, or add --overwrite.")
    format = format_of(Path(target.name)) if output == "csv" else FORMATS["table"]
    if format.spread or format is FORMATS["openpose"]:
        raise UsageError(f"'{target}' would be several files. Write them to this machine, or give one in .csv.")


def _same(one: Path | Remote, other: Path | Remote) -> bool:
    """Return whether two names are one place, also through a link to its folder."""
    if isinstance(one, Remote) or isinstance(other, Remote):
        return isinstance(one, Remote) and isinstance(other, Remote) and one.path == other.path
    return one == other or (one.name == other.name and one.parent.resolve() == other.parent.resolve())


def _check_sidecar(table: Path, targets: Iterable[Path | Remote], *, overwrite: bool) -> None:
    """Check that the sidecar of a table can be written; an earlier run may have left one."""
    path = sidecar_path(table)
    if any(_same(path, target) for target in targets):
        raise UsageError(f"'{path}' describes '{table}'. Give the other result another name.")
    if path.exists():
        check_name(path, overwrite=overwrite or is_sidecar(path))
