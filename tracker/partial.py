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
    """Return the name that an unfinished file has beside its final one."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse a final name that is a folder, a file that may not be replaced, or in a folder that cannot be written to.

    The folder is created where it is missing.

    Raises:
        OutputError: with the path and what to do.
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
    """Write blocks of bytes, each of them whole or not at all, and name the file when the run is complete.

    A block goes to the system in one call, so a crash of this process leaves the blocks before it; leaving the `with`
    block by an exception leaves the file under its partial name.

    Args:
        path: the final name; its folder is created where it is missing.
        overwrite: whether a file of that name may be replaced.

    Raises:
        OutputError: when the final name is taken or the file cannot be written.
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
        """Append one block; when that fails, take back what was written of it."""
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
        """Take back every block."""
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
                    os.fsync(file.fileno())  # or a power cut could leave the final name with nothing in it
            if kind is None:
                self.partial.replace(self.path)
        except OSError as failure:
            raise self._explained(failure) from failure

    def _explained(self, error: OSError) -> OutputError:
        """Turn the system's answer into a sentence with a remedy."""
        reason = error.strerror or str(error)
        remedy = "Choose a folder that you may write to."
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = f"Free some space or choose another disk; what was written stays in '{self.partial}'."
        elif os.name == "nt" and error.errno == errno.EACCES:
            remedy = "Close the program that has it open, or choose a folder that you may write to."
        return OutputError(f"Cannot write '{self.path}': {reason}. {remedy}")
