"""A file that takes its final name only when it is complete: `out.csv` is `out.partial.csv` until then."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..errors import OutputError


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
        OutputError: the path is a folder, exists and may not be replaced, or its folder is not writable.
    """
    if path.is_dir():
        raise OutputError(f"Cannot write '{path}': it is a folder. Give the name of a file.")
    if path.exists() and not overwrite:
        raise OutputError(f"'{path}' exists already. Choose another name, or add --overwrite to replace it.")
    probe = path.with_name(f".{path.stem}.{os.getpid()}.probe")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"Cannot write '{path}': {error.strerror}. Choose a folder that you may write to.") from error


class PartialFile:
    """Write a file in whole blocks of bytes and give it its final name on success.

    Blocks are unbuffered: a crash of this process keeps all blocks written before it. If an exception leaves the `with`
    block, the file keeps its partial name.

    Args:
        path: final name; its folder is created if it is missing.
        overwrite: whether an existing file may be replaced.

    Raises:
        OutputError: the final name is taken, or the file cannot be written.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self.partial = partial_path(self.path)
        check_target(self.path, overwrite=overwrite)
        self._file: BinaryIO | None = None
        self._size = 0  # bytes of whole blocks

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.partial.open("wb", buffering=0)
        except OSError as error:
            raise self._explained(error) from error
        return self

    def write(self, block: bytes) -> None:
        """Append one block; a block that fails is removed again."""
        assert self._file is not None, "write inside the with block"
        try:
            rest = memoryview(block)
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:
            with suppress(OSError):
                self._file.truncate(self._size)
                self._file.seek(self._size)
            if isinstance(error, OSError):
                raise self._explained(error) from error
            raise
        self._size += len(block)

    def clear(self) -> None:
        """Remove all blocks."""
        assert self._file is not None, "clear inside the with block"
        self._file.truncate(0)
        self._file.seek(0)
        self._size = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with file:
                if kind is None:
                    os.fsync(file.fileno())  # a power cut could otherwise leave an empty file under the final name
            if kind is None:
                self.partial.replace(self.path)
        except OSError as failure:
            raise self._explained(failure) from failure

    def _explained(self, error: OSError) -> OutputError:
        """Return the error as a sentence with a remedy."""
        reason = error.strerror or str(error)
        remedy = "Choose a folder that you may write to."
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = f"Free some space or choose another disk; what was written stays in '{self.partial}'."
        elif os.name == "nt" and error.errno == errno.EACCES:
            remedy = "Close the program that has it open, or choose a folder that you may write to."
        return OutputError(f"Cannot write '{self.path}': {reason}. {remedy}")
