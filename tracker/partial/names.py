"""The names of results, unfinished and complete, and whether a result may have them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from ...errors import OutputError, UsageError


def partial_path(path: Path) -> Path:
    """Return the name of an unfinished file."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def sidecar_path(result: str | Path, *, complete: bool = True) -> Path:
    """Return the name of a result's sidecar: that of the result, complete or partial, with .json added."""
    result = Path(result) if complete else partial_path(Path(result))
    return result.with_name(f"{result.name}.json")


def check_target(path: Path, *, overwrite: bool) -> None:
    """Check that a result can be written under its final name; create its folder if it is missing.

    Args:
        path: final name of the result.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: the path is no file, exists and may not be replaced, or its folder is not writable.
    """
    check_name(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror}. Choose a folder that you may write to.") from error


def check_name(path: Path, *, overwrite: bool) -> None:
    """Check that a result may have its final name, in a folder that can be written to.

    Args:
        path: final name of the result.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: the path is a folder or the name of an unfinished file, or exists and may not be replaced.
    """
    if path.stem.endswith(".partial"):
        raise OutputError(f"Cannot write '{path}': such names are reserved for unfinished files. Give another name.")
    if not path.exists():
        return
    if path.is_dir():
        raise OutputError(f"Cannot write '{path}': it is a folder. Give the name of a file.")
    if not path.is_file():
        raise OutputError(f"Cannot write '{path}': it is a device or a pipe. Give the name of a file.")
    if not overwrite:
        raise OutputError(
            f"'{path}' exists already. Choose another name, or add --overwrite (in Python overwrite=True)."
        )


def check_inputs(path: Path, *inputs: str | Path | None) -> None:
    """Check that a result would not replace a file that is read; other spellings and links of its name count, too.

    Args:
        path: final name of the result.
        inputs: names of files; what is none, such as the name of a network, is left out.

    Raises:
        UsageError: it would.
    """
    with suppress(OSError, ValueError):  # no file has such a name
        if not path.exists():
            return
    for name in inputs:
        with suppress(OSError, ValueError):
            if name and Path(name).exists() and path.samefile(name):
                raise UsageError(f"'{path}' is read by this command. Give the result another name.")
