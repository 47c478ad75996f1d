"""Where the results of a source go, and whether they may be written there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ...errors import UsageError
from ..formats.files import check_result
from ..formats.registry import format_of
from ..output.results import is_sidecar
from ..partial import check_inputs, check_name, check_target, sidecar_path
from ..video.address import shown
from ..video.batch import Item, is_still
from ..video.writer import check_suffix


def targets_of(item: Item, outputs: Mapping[str, Path], *, batch: bool) -> dict[str, Path]:
    """Return the path of each requested result of a source.

    Args:
        item: the source.
        outputs: file of each requested result, by the name of its option; for a batch, a folder.
        batch: whether results get names in these folders that mirror the sources.
    """
    if not batch:
        return dict(outputs)
    suffixes = {"report": ".html"}
    if "save" in outputs:
        suffixes["save"] = ".png" if is_still(item) else ".mp4"
    return {
        output: folder / item.mirror.with_name(item.mirror.name + suffixes.get(output, ".csv"))
        for output, folder in outputs.items()
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
        from ..report.writer import check_report

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
    check_name(path, overwrite=overwrite or is_sidecar(path))
